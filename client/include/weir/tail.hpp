// SPDX-License-Identifier: PostgreSQL
//
// Follows a stream from a cursor on: what is there, then what comes, each frame once, in order, across
// restarts of the server, for as long as it is retained. Frames wait in a bounded buffer; a consumer
// that is slower than the stream makes the tail stop reading, and lag() says by how much.
//
// Made and destroyed at will: construction does not block. One consumer thread at a time; different tails
// in different threads are independent.
#pragma once

#include "weir/frame.hpp"
#include "weir/notifier.hpp"
#include "weir/result.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::inline v0 {

// Where a tail starts.
class start {
public:
    static start beginning() { return {kind::after, position::least().value()}; }
    static start after(position p) { return {kind::after, p.value()}; }
    // With what is appended from the moment on at which subscribed() becomes true.
    static start now() { return {kind::now, 0}; }
    static start since(position::time_point t) { return {kind::since, t.time_since_epoch().count()}; }

    enum class kind { after, now, since };
    kind how() const noexcept { return how_; }
    std::int64_t value() const noexcept { return value_; }

private:
    start(kind how, std::int64_t value) : how_(how), value_(value) {}
    kind how_;
    std::int64_t value_;
};

struct tail_options {
    start from = start::beginning();
    bool best_effort = true;                 // false: leave best-effort frames out
    std::vector<std::string> types = {};     // only these; a close mark passes
    std::optional<std::string> headers = {}; // a JSON object that the frame's headers contain
    // What the buffer holds at the most; one frame always fits.
    std::size_t buffer_frames = 1000;
    std::size_t buffer_bytes = 1 << 20;
    // Called in the notifier's thread when there is something for take() after there was nothing, and when the state
    // changes. Must not block. May call take().
    std::function<void()> on_ready = {};
};

enum class tail_state {
    live,
    closed,         // the stream's close mark was taken; nothing comes any more
    cursor_ahead,   // the cursor is beyond the log (a failover that lost frames?); see why()
    cursor_expired, // what comes next after the cursor is gone; see why()
    failed,         // the server refuses for good: no privilege, extension, database, role; next() throws it
    detached,       // the notifier is gone
};
WEIR_CLIENT_API std::string_view to_string(tail_state state) noexcept;

struct tail_lag {
    std::size_t frames = 0; // in the buffer
    std::size_t bytes = 0;
    bool full = false;                   // the buffer holds the reading up
    position newest = {};                // the newest position that this tail has heard of
    std::chrono::milliseconds behind{0}; // from the last frame taken to that one; 0 where there is nothing to take
};

class WEIR_CLIENT_API tail {
public:
    tail(notifier &by, std::string stream, tail_options options = {});
    ~tail();
    tail(tail &&) noexcept;
    tail &operator=(tail &&) noexcept;

    // The next frame, the close mark included. Nothing where the time is over, a stop was requested, or nothing comes
    // any more (state() tells). Throws weir::error where the server refuses for good: connecting (error::lasting()), or
    // reading, or where a read is cancelled twice in a row. It throws once, and nothing comes any more; a new tail may
    // start after cursor(). Being disconnected is not an error: it waits.
    std::optional<frame> next(until const &limit = {});
    // As next(), all that is there up to a number; empty for nothing.
    std::vector<frame> next_batch(until const &limit = {}, std::size_t max = 1000);
    // As next_batch(), without waiting.
    std::vector<frame> take(std::size_t max = 1000);

    // Waits until the start is settled and new frames are heard of, by LISTEN or what stands in for it (see
    // notifier::status()). False where the time is over, or a stop was requested. Throws as next() does. No need to
    // call it: a tail loses nothing.
    bool subscribed(until const &limit = {}) const;

    std::string const &stream() const noexcept;
    // Of the last frame taken: what to store, and to start after the next time.
    position cursor() const;
    tail_state state() const;
    // Why state() is cursor_ahead, cursor_expired or failed.
    std::optional<refusal> why() const;
    tail_lag lag() const;

    struct core;

private:
    std::shared_ptr<core> core_;
};

} // namespace weir::inline v0
