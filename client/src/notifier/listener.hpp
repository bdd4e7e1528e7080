// SPDX-License-Identifier: PostgreSQL
//
// The connection that hears of news. What it is to hear and what it does hear are
// kept apart: every channel is a spot with its number of users and whether LISTEN is
// in force, and whenever the connection is free, one transaction brings the second in line with the
// first. A lost connection hears nothing, and everything starts over.
//
//     closed -> connecting -> greeting -> +- listening: channels or database -+-> lost
//                                         +- waiting in the server: wait      |
//                                         +- asking: poll --------------------+
//
// Once LISTEN is in force the tails of that spot re-read: what was committed before is then found by
// that read, what is committed later rings.
#pragma once

#include "link.hpp"
#include "weir/notifier.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace weir::inline v0 {

namespace internal {
template <class... Args> class revocable;
class loop;
struct follower;
struct followed_stream;

// A channel that somebody wants to hear, or still hears.
struct spot {
    std::string name;
    int uses = 0;
    bool in_force = false;
    bool changing = false; // the server has been told otherwise, and has not answered
    bool queued = false;   // in changed_
    std::vector<followed_stream *> streams;
    std::vector<channel::state *> users;
    bool wanted() const noexcept { return uses > 0; }
    // An UNLISTEN on its way may be in force already.
    bool heard() const noexcept { return in_force && !changing; }
};

class listener {
public:
    explicit listener(loop &owner);
    ~listener();

    void add(followed_stream &s);
    void forget(follower &f);
    void remove(followed_stream &s);
    void add(std::shared_ptr<channel::state> const &c);
    void remove(channel::state *c);

    bool needed() const noexcept;
    // Does what there is to do: connect, say what to listen for, wait, close.
    void act(until::clock::time_point now);
    // The socket is ready.
    void step();
    int fd() const noexcept { return link_.fd(); }
    short events() const noexcept { return link_.events(); }
    // When act() has something to do, though nothing comes.
    until::clock::time_point next_deadline() const noexcept;
    bool connected() const noexcept { return phase_ >= phase::idle; }
    bool listens() const noexcept { return how_ == wakeup::channels || how_ == wakeup::database; }
    wakeup how() const noexcept { return how_; }
    // Closes whatever there is, in the middle of whatever.
    void give_up(std::string why);
    // The last error of connecting, for status().
    void tell(std::string why, bool lasting = false);
    // Connecting is refused for good.
    void refused(error const &why);
    void detach_channels();
    std::size_t kept() const noexcept {
        return spots_.size() + changed_.size() + changing_.size() + unnamed_.size() + naming_.size() + waited_.size() +
               channels_.size();
    }

private:
    enum class phase { closed, connecting, greeting, idle, busy };
    enum class task { none, naming, syncing, waiting, asking };

    spot &use(std::string const &name);
    void leave(spot &s);
    void queue(spot &s);
    void place(followed_stream &s); // on a channel of its own
    void widen();
    void narrow();

    void connect();
    void greet();
    void greeted(PGresult const *r);
    void begin(task t, until::clock::time_point answer_by);
    bool sync(until::clock::time_point now);
    bool name_streams(until::clock::time_point now);
    bool wait_in_server(until::clock::time_point now);
    void synced();
    void in_force(spot const &s);
    void tell_of_missed(channel::state &c);
    void named(PGresult const *r);
    void waited(PGresult const *r);
    void could_not_wait(error const &why);
    void task_ended();
    void hear(PGnotify const &n);
    void lost(error const &why);
    void close();
    void publish();
    // To be asked for a sign of life then.
    until::clock::time_point silent_until() const noexcept;

    loop &loop_;
    link link_;
    phase phase_ = phase::closed;
    task task_ = task::none;
    wakeup how_ = wakeup::none;
    std::string why_;
    bool lasting_ = false, standby_ = false, pooler_ = false, has_wait_ = true, was_connected_ = false;
    until::clock::time_point deadline_ = until::never, idle_since_{}, last_answer_{}, next_poll_{};

    bool wide_ = false; // the database-wide channel instead of one for each stream
    std::unordered_map<std::string, std::unique_ptr<spot>> spots_;
    spot *everything_ = nullptr;
    std::vector<spot *> changed_, changing_; // to be told to the server; told, and not yet answered
    std::vector<followed_stream *> unnamed_, naming_;
    std::vector<follower *> waited_;
    // What wait() said of streams, of the connection that it was said on.
    std::unordered_set<std::string> dropped_, closed_;
    std::unordered_map<channel::state *, std::shared_ptr<channel::state>> channels_;
    owned<PGresult> result_, error_;
};

} // namespace internal

struct channel::state {
    state(std::string n, std::function<void(std::optional<std::string_view>)> on_payload,
          std::function<void(error const &)> on_failure, std::shared_ptr<notifier::core> c);
    ~state();

    std::string const name;
    std::shared_ptr<notifier::core> const by;
    std::unique_ptr<internal::revocable<std::optional<std::string_view>>> on_payload;
    std::unique_ptr<internal::revocable<error const &>> on_failure;
    bool missed = false; // something, perhaps: it was in force, and the connection was lost. The loop's alone.

    enum class hearing { not_yet, yes, useless, gone };
    void set(hearing now);
    void refuse(error const &why);
    bool wait(until const &limit);

private:
    std::mutex lock_;
    std::condition_variable_any changed_;
    hearing now_ = hearing::not_yet;
    std::optional<error> failure_; // until it is heard, or known to be useless
};

} // namespace weir::inline v0
