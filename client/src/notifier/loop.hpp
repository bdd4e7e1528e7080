// SPDX-License-Identifier: PostgreSQL
//
// The notifier's thread: one poll() over the inbox, the connection that listens and
// those that read. It knows which tails are due and hands them to readers.
//
//                   rang, polled, new, resumed            a reader is free
//       parked  ------------------------------->  due  ---------------------> being read
//         ^                                        ^                              |
//         |                                        |  rang meanwhile, or more     |
//         +----------------------------------------+------------------------------+
//                    nothing more: parked          |  the connection was lost
//
// Reading one stream of many costs the server much the same for one frame as for ten. So a tail is not read again
// before a spacing has passed, of about twice the time that reading all tails in use takes: next to nothing for a few,
// and for a thousand busy ones some tens of milliseconds.
//
// A tail whose buffer is full is held: it is neither due nor read until its consumer
// resumes it.
//
// Time is looked at twice in a round: before things are done, and after the wait. Whatever acts on a time names it in
// next_deadline(), and there only; what is due at the time of the round has been done when the wait begins, so no
// deadline can pass between the two. The wait has no other limit, and needs none.
//
// A ring says no more than "look": what there is comes from a read after the tail's own
// cursor, so a ring too many costs a read, and a ring too few is what the slow poll is for.
#pragma once

#include "backoff.hpp"
#include "conninfo.hpp"
#include "notifier/listener.hpp"
#include "notifier/reader.hpp"
#include "notifier/surroundings.hpp"
#include "notifier/tail_core.hpp"

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weir::inline v0 {
namespace internal {

struct followed_stream;

// What the loop knows of a tail.
struct follower {
    std::shared_ptr<weir::tail::core> tail;
    followed_stream *stream = nullptr;
    position cursor;      // read up to here
    bool settled = false; // the cursor is where the tail starts
    bool due = false;
    bool reading = false;
    bool again = false; // rang while it was being read
    bool alone = false; // a read failed: try it without others, and if it fails again, it is this one's
    bool ended = false;
    bool spaced = false; // due as soon as not_before has passed
    until::clock::time_point next_poll, not_before{};

    enum kind { heads, plain, durable, filtered, kinds };
    kind what() const noexcept {
        if (!settled)
            return heads;
        auto const &o = tail->options;
        return !o.types.empty() || o.headers ? filtered : o.best_effort ? plain : durable;
    }
};

struct followed_stream {
    std::string name;
    std::vector<follower *> followers;
    std::uint64_t group = 0;  // the last one that it was in
    std::uint64_t window = 0; // and the last window in which it was read
    spot *at = nullptr;       // where the listener hears of it
};

class loop {
public:
    explicit loop(notifier::core &core, surroundings &around);
    ~loop();
    void run();
    // Does what there is to do, and waits for more. False at the end.
    bool round();

    // Commands.
    void add(std::shared_ptr<tail::core> const &t);
    void remove(tail::core *t);
    void resume(tail::core *t);
    void add(std::shared_ptr<channel::state> const &c) { listener_.add(c); }
    void remove(channel::state *c) { listener_.remove(c); }
    void ring_all();

    // From the listener.
    void ring(followed_stream &s, std::optional<position> newest);
    void ring(std::string_view stream, std::optional<position> newest);
    void cover(followed_stream &s, bool yes);
    std::unordered_map<std::string_view, std::unique_ptr<followed_stream>> const &streams() const { return streams_; }
    // Tails that wait for news and could take some.
    std::vector<follower *> parked();

    // From readers.
    void done(follower &f, bool more);
    void again(follower &f, bool alone);
    void took(std::chrono::duration<double> time, std::size_t streams);
    void fail(follower &f, error const &why);
    // Connecting is one matter for all connections: while it fails, they take turns.
    until::clock::time_point may_connect_at() const noexcept { return next_connect_; }
    void connected();
    // An error that lasts is told to who waits, when this round is over.
    void could_not_connect(error const &why);
    void lost_connection();

    // The time of this round: what is done in it is done at once, and what is due by this time has been done
    // before anybody waits.
    until::clock::time_point now() const noexcept { return now_; }
    notifier_options const &options() const noexcept { return core_.options; }
    figures &counts() noexcept { return core_.counts; }
    conninfo const &to() const noexcept { return to_; }
    void set_status(notifier_status const &now) { core_.set_status(now); }
    std::size_t needs() const noexcept { return followers_.size(); }
    // Everything that is remembered of anyone, for the test that nothing is left.
    std::size_t kept() const noexcept;

private:
    void make_due(follower &f);         // now
    void make_due_in_time(follower &f); // when the spacing allows
    void end_spacing(until::clock::time_point now);
    void finish(follower &f); // nothing comes any more
    void drop(follower &f);
    void poll_slowly(until::clock::time_point now);
    void feed_readers(until::clock::time_point now);
    std::vector<slot> next_group(follower::kind &what, std::size_t max);
    std::size_t due() const noexcept { return due_count_[0] + due_count_[1] + due_count_[2] + due_count_[3]; }
    reader *wanted_reader(std::size_t coming) const noexcept; // one to connect
    std::size_t coming() const noexcept;                      // readers that connect
    void act();
    void wait();
    void start_over(char const *why);
    void tell_of_refusal();
    until::clock::time_point next_deadline() const noexcept;

    notifier::core &core_;
    surroundings &around_;
    std::vector<command> commands_;
    conninfo to_;
    backoff backoff_;
    until::clock::time_point next_connect_{}, next_tick_{};
    std::optional<error> refused_;
    std::unordered_map<tail::core *, std::unique_ptr<follower>> followers_;
    std::unordered_map<std::string_view, std::unique_ptr<followed_stream>> streams_;
    std::array<std::deque<follower *>, follower::kinds> due_; // entries whose `due` is off are stale
    std::array<std::size_t, follower::kinds> due_count_{};
    std::size_t turn_ = 0;
    std::deque<follower *> spaced_; // in the order of not_before, nearly
    until::clock::time_point now_{}, window_{};
    std::size_t in_use_ = 0, in_window_ = 0; // streams read within the last window, and this one so far
    std::uint64_t window_number_ = 0;
    std::chrono::duration<double> per_stream_{0}; // what reading one takes
    std::uint64_t group_ = 0;
    listener listener_;
    std::vector<std::unique_ptr<reader>> readers_;
};

} // namespace internal
} // namespace weir::inline v0
