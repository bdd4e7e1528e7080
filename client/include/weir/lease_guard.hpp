// SPDX-License-Identifier: PostgreSQL
//
// Holds a lease for as long as a scope lasts. A keeper renews all leases of a process at a third of their ttl,
// in one thread; another one watches the clock, so that a holder learns that its lease is lost
// when that happens, also where the server cannot be reached, or the process was paused: by the keeper's reckoning a
// lease ends ttl after the last successful renewal was asked for, which is never later than the server's. That clock
// goes on while the machine sleeps.
//
// Knowing is not enough: between a look at held() and a write, any time may pass. Append with fence(), or call check()
// in the transaction.
#pragma once

#include "weir/connection.hpp"
#include "weir/lease.hpp"
#include "weir/result.hpp"
#include "weir/stream.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace weir::inline v0 {

struct lease_options {
    // Empty: made up of host, process and a random number. One that is used again takes the lease from its former self.
    std::string owner = {};
    std::chrono::milliseconds ttl{30'000};   // 1 ms to 1 day; what is renewed over a network wants seconds
    std::optional<std::string> headers = {}; // a JSON object; "namespace" names the stream of the history
    // How often acquire() asks for a lease that another holds.
    std::chrono::milliseconds ask_every{250};
    // Called once, in a thread of the keeper, when the lease is lost; must not block. Not after release().
    std::function<void(refusal const &)> on_lost = {};
};

class WEIR_CLIENT_API lease_guard {
public:
    ~lease_guard(); // releases, and waits for that as long as the keeper's options say
    lease_guard(lease_guard &&) noexcept;
    lease_guard &operator=(lease_guard &&) noexcept;

    std::string const &name() const noexcept;
    std::string const &owner() const noexcept;
    std::int64_t epoch() const noexcept;

    // Whether it is, as far as this process can know without asking.
    bool held() const noexcept;
    // How long it will be without another renewal; 0 where it is not held.
    std::chrono::milliseconds left() const noexcept;
    // A stop is requested when the lease is lost: for waits, and for whatever works under the lease.
    std::stop_token lost() const noexcept;
    // Why it was lost: lease_revoked, stale_lease, lease_not_held; lease_expired, also where it could not be renewed in
    // time.
    std::optional<refusal> why() const;

    // For appends under the lease; these refer to the guard.
    append_options fence(append_options options = {}) const;
    // The same for writes of one's own: first in their transaction.
    result<position::time_point> check(connection &db) const;

    // Gives it up before the scope ends. Refused where it was lost.
    result<bool> release(std::optional<std::string_view> reason = {}, until const &limit = {});

    struct state;

private:
    friend class lease_keeper;
    explicit lease_guard(std::shared_ptr<state> s);
    void swap(lease_guard &other) noexcept { state_.swap(other.state_); }
    std::shared_ptr<state> state_;
};

struct lease_keeper_options {
    connection_options connect = {};
    // How long the end of a guard waits for the server.
    std::chrono::milliseconds release_timeout{1'000};
};

// Thread-safe. Make one for each database and share it.
class WEIR_CLIENT_API lease_keeper {
public:
    // Does not connect before there is a lease to acquire.
    explicit lease_keeper(lease_keeper_options options = {});
    // Guards that still live have lost their leases.
    ~lease_keeper();
    lease_keeper(lease_keeper const &) = delete;
    lease_keeper &operator=(lease_keeper const &) = delete;

    // Waits until nobody else holds it; where the time is over or a stop was requested first, refused as stale_lease,
    // which says who does. Refused: stream_closed (its history). Throws what the server refuses for good, and where it
    // could not be reached in time; an answer that was lost may leave the lease held, until it expires.
    result<lease_guard> acquire(std::string name, lease_options options = {}, until const &limit = {});
    // Once.
    result<lease_guard> try_acquire(std::string name, lease_options options = {}, until const &limit = {});

    struct core;

private:
    std::shared_ptr<core> core_;
};

} // namespace weir::inline v0
