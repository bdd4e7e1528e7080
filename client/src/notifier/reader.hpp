// SPDX-License-Identifier: PostgreSQL
//
// A connection that reads for tails: one statement at a time, many streams in it.
// Rows are taken one by one as they arrive, so that what does not fit a
// tail's buffer is never held here either.
#pragma once

#include "link.hpp"
#include "weir/frame.hpp"

#include <optional>
#include <string>
#include <vector>

namespace weir::inline v0 {
namespace internal {

class loop;
struct follower;

// One stream of a statement, and the tails that read it from the same cursor.
struct slot {
    std::string stream;
    position after;
    std::vector<follower *> riders;
    std::size_t rows = 0; // that came
};

class reader {
public:
    explicit reader(loop &owner) : loop_(owner) {}

    enum class phase { closed, connecting, greeting, idle, busy };
    phase where() const noexcept { return phase_; }

    void connect();
    // Reads for these; `what` is their kind. Only where idle.
    void read(int what, std::vector<slot> slots, std::size_t max);
    // The socket is ready.
    void step();
    // Time has passed: gives up what does not answer, closes what is not needed.
    void tick(until::clock::time_point now);
    void forget(follower *f);
    // Closes whatever there is, in the middle of whatever.
    void give_up();

    int fd() const noexcept { return link_.fd(); }
    short events() const noexcept { return link_.events(); }
    // When tick() has something to do, though nothing comes.
    until::clock::time_point next_deadline() const noexcept;

private:
    void greet();
    void prepare();
    void take(PGresult const *r);
    void take_row(PGresult const *r, int n);
    void deliver();
    void statement_ended();
    void statement_failed(PGresult const *r);
    void lost();
    void close();
    bool send(char const *sql, class parameters const &p);

    loop &loop_;
    link link_;
    phase phase_ = phase::closed;
    until::clock::time_point deadline_ = until::never, idle_since_{}, begun_{};
    std::chrono::milliseconds patience_{0};
    bool pooler_ = false, prepared_ = false, preparing_ = false;

    int what_ = 0;
    std::vector<slot> slots_;
    std::size_t limit_ = 0, current_ = 0;
    std::vector<frame> frames_; // of the current slot, not yet delivered
    std::optional<position> bookmark_;
    bool more_ = false; // to read, behind it
    owned<PGresult> error_;
};

} // namespace internal
} // namespace weir::inline v0
