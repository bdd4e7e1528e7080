// SPDX-License-Identifier: PostgreSQL
//
// Wakes every tail of a process: one thread, one connection that listens, and a few
// that read for the tails that are due. A parked tail costs memory only. With many
// streams the notifier listens to the database-wide channel instead of one for each, because the server
// looks through all channels of a listener for every notification.
//
// The connection is made again with a jittered backoff when it is lost, also when it has silently gone dead,
// and every tail then re-reads from its cursor. A slow poll backs it all. Where LISTEN is of no use, on a standby
// and behind a transaction pooler, it waits in the server (CALL weir.wait), and where that is not to be had it
// polls; status() says which, and why.
//
// Thread-safe. Make one for each database and share it.
#pragma once

#include "weir/connection.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace weir::inline v0 {

// How tails learn that there is something to read.
enum class wakeup {
    none,     // not connected
    channels, // LISTEN, a channel for each stream
    database, // LISTEN, one channel for all
    wait,     // CALL weir.wait: a standby, or a transaction pooler
    poll,     // asking again and again
};
WEIR_CLIENT_API std::string_view to_string(wakeup how) noexcept;

struct notifier_status {
    wakeup how = wakeup::none;
    bool standby = false;
    bool pooler = false;
    // One line: why not LISTEN, or the last error of the connection.
    std::string why = {};
    // It will not pass by itself (error::lasting()); whoever waits has been told.
    bool lasting = false;
};

struct notifier_options {
    std::string conninfo = {};
    int readers = 4; // connections that read, made when needed and closed when idle
    // Tails re-read at least this often, whatever is or is not heard. The slowest poll where all else fails.
    std::chrono::milliseconds slow_poll{2'000};
    // Where there is neither LISTEN nor weir.wait.
    std::chrono::milliseconds poll{100};
    std::chrono::milliseconds connect_timeout{10'000};
    // A connection that does not answer for this long is dead. An idle one is asked as often.
    std::chrono::milliseconds answer_timeout{10'000};
    // Connections that nobody needs are closed after this.
    std::chrono::milliseconds idle_time{30'000};
    std::chrono::milliseconds first_backoff{50};
    std::chrono::milliseconds max_backoff{10'000};
    std::size_t max_channels = 64; // with more streams than that, the database-wide channel
    // A pooler in between keeps one server connection for each client connection, so LISTEN works.
    bool session_pooler = false;
    // Called in the notifier's thread when status() has changed. Must not block, nor destroy the notifier.
    std::function<void(notifier_status const &)> on_change = {};
    std::string application_name = "weir notifier";
};

struct notifier_counts {
    std::size_t tails = 0;
    std::size_t channels = 0;        // LISTEN in force
    std::size_t connections = 0;     // open, all kinds
    std::uint64_t connects = 0;      // made so far, all kinds
    std::uint64_t lost = 0;          // of them, lost
    std::uint64_t notifications = 0; // received
    std::uint64_t reads = 0;         // statements that read for tails
    std::uint64_t frames = 0;        // delivered to buffers
    std::uint64_t polls = 0;         // tails that became due by the slow poll
};

// A channel of one's own (weir.notify, weir.ring), heard for as long as this lives.
class WEIR_CLIENT_API channel {
public:
    ~channel();
    channel(channel &&) noexcept;
    channel &operator=(channel &&) noexcept;

    // Waits until LISTEN is in force; what is sent from then on is heard, as long as the connection holds.
    // False where the time is over, a stop was requested, or LISTEN is of no use here (see status()). Throws
    // weir::error where the server refuses the notifier for good (error::lasting()); it goes on trying, in case that
    // changes.
    bool listening(until const &limit = {}) const;

    struct state;

private:
    friend class notifier;
    explicit channel(std::shared_ptr<state> s);
    std::shared_ptr<state> state_;
};

class WEIR_CLIENT_API notifier {
public:
    // Does not connect before there is something to listen for, and does not block.
    explicit notifier(notifier_options options = {});
    // Ends the thread. Tails that still live get no more.
    ~notifier();
    notifier(notifier const &) = delete;
    notifier &operator=(notifier const &) = delete;

    notifier_status status() const;
    notifier_counts counts() const;

    // on_payload is called in the notifier's thread, with each payload, and with nothing when the channel is heard
    // again after a loss of the connection: something may have been missed. on_failure is called there, too, when the
    // server refuses the notifier for good, once until the channel is heard again. Neither may block; what they throw
    // is dropped. Throws weir::error (42602) for a name that is no channel's.
    channel listen(std::string_view name, std::function<void(std::optional<std::string_view>)> on_payload,
                   std::function<void(error const &)> on_failure = {});

    // Every tail re-reads now.
    void wake_all();

    struct core;
    std::shared_ptr<core> const &internals() const noexcept { return core_; }

private:
    std::shared_ptr<core> core_;
};

} // namespace weir::inline v0
