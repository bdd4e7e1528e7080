// SPDX-License-Identifier: PostgreSQL
//
// A lease by its name, on a connection: the calls of weir in SQL, under the same names. It refers
// to the connection, which has to outlive it. Nothing is renewed by itself here;
// to hold a lease for as long as a scope lasts, see lease_guard.hpp.
//
// owner is whatever names the holder for good and nobody else. Every call is safe to retry, and is made again after a
// lost connection; an acquire that was made twice gives the later epoch.
#pragma once

#include "weir/connection.hpp"
#include "weir/position.hpp"
#include "weir/result.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {

struct lease_answer {
    bool acquired = false;
    std::int64_t epoch = 0;               // where acquired
    position::time_point expires_at = {}; // by the server's clock: of whoever holds it now
    std::string held_by = {};
};

struct lease_acquire_options {
    std::chrono::milliseconds ttl{30'000};        // 1 ms to 1 day
    std::optional<std::string_view> headers = {}; // a JSON object; "namespace" names the stream of the history
};

// A row of the view weir.leases.
struct lease_info {
    std::string name = {};
    std::optional<std::string> owner = {}; // nothing where nobody holds it
    std::int64_t epoch = 0;
    std::string state = {}; // held, released, revoked or expired
    std::optional<position::time_point> expires_at = {};
    std::optional<std::string> previous_owner = {};
    std::optional<std::string> ended_by = {};
    std::optional<std::string> reason = {};
};

class WEIR_CLIENT_API lease {
public:
    lease(connection &db, std::string name) : db_(&db), name_(std::move(name)) {}

    std::string const &name() const noexcept { return name_; }

    // Whether or not it was acquired is in the answer. Refused: stream_closed (its history).
    result<lease_answer> acquire(std::string_view owner, lease_acquire_options const &options = {},
                                 until const &limit = {});
    // When it expires then. Each is refused, for the first reason that holds: lease_not_held, lease_revoked,
    // lease_expired, stale_lease.
    result<position::time_point> renew(std::string_view owner, std::int64_t epoch,
                                       std::optional<std::chrono::milliseconds> ttl = {}, until const &limit = {});
    // False where the same owner released the same epoch before.
    result<bool> release(std::string_view owner, std::int64_t epoch, std::optional<std::string_view> reason = {},
                         until const &limit = {});
    // The fence, for writes of one's own: first in their transaction.
    result<position::time_point> check(std::int64_t epoch);

    // Takes it from whoever holds it (at that epoch). False where nobody does. Refused: stream_closed.
    result<bool> revoke(std::string_view by, std::optional<std::string_view> reason = {},
                        std::optional<std::int64_t> epoch = {});

    // Nothing for one that is not known.
    std::optional<lease_info> info();

private:
    connection *db_;
    std::string name_;
};

// Every lease that is held or was lately, by name.
WEIR_CLIENT_API std::vector<lease_info> leases(connection &db);

// Writes down what has expired; how many.
WEIR_CLIENT_API result<int> lease_sweep(connection &db, int max = 10'000);

} // namespace weir::inline v0
