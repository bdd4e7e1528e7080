// SPDX-License-Identifier: PostgreSQL
//
// A durable subscription by its name, on a connection: the calls of weir in SQL, under
// the same names. It refers to the connection, which has to outlive it. fetch() does not
// move the cursor, ack() does: what was not acknowledged comes again. In one transaction with what the
// events lead to, fetch() and ack() give exactly once.
//
// To follow a subscription rather than ask it, see subscriber.hpp.
#pragma once

#include "weir/connection.hpp"
#include "weir/frame.hpp"
#include "weir/result.hpp"
#include "weir/tail.hpp"
#include "weir/wait.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::inline v0 {

struct event {
    std::string stream = {};
    weir::frame frame = {};
};

struct subscribe_options {
    start from = start::now();
    std::vector<std::string> types = {};     // only these; empty: all
    std::optional<std::string> headers = {}; // a JSON object that the event's headers contain
    bool hold = false;                       // retention keeps what is not acknowledged
};

// Where a subscription stands in one stream: a row of the view weir.subscriptions.
struct stream_lag {
    std::string stream = {};
    position cursor = {};
    std::int64_t frames = 0; // settled and not acknowledged, whether the filter passes them or not
    std::chrono::milliseconds age{0};
    bool expired = false;
};

struct subscription_info {
    std::string name = {};
    std::vector<std::string> streams = {}; // names and patterns
    std::vector<std::string> types = {};
    std::optional<std::string> headers = {};
    bool hold = false;
    std::optional<position::time_point> last_seen = {};
    std::vector<stream_lag> lag = {}; // of the streams that are there

    // Over all streams.
    WEIR_CLIENT_API std::int64_t lag_frames() const noexcept;
    WEIR_CLIENT_API std::chrono::milliseconds lag_age() const noexcept;
};

class WEIR_CLIENT_API subscription {
public:
    subscription(connection &db, std::string name) : db_(&db), name_(std::move(name)) {}

    std::string const &name() const noexcept { return name_; }

    // Makes it; false where it is there already, with the same streams and filters. Streams are names, or patterns with
    // * and ?. Refused: already_exists (another one of that name), cursor_ahead, cursor_expired.
    result<bool> subscribe(std::span<std::string const> streams, subscribe_options const &options = {});
    result<bool> subscribe(std::string const &stream, subscribe_options const &options = {}) {
        return subscribe({&stream, 1}, options);
    }

    // The next events, at most so many (1 to 10000); never waits for more, but for another consumer's transaction.
    // Refused: cursor_expired.
    result<std::vector<event>> fetch(int max = 100, until const &limit = {});
    // Exactly what the connection's transaction has fetched, in every stream, and nothing that was committed since. How
    // many frames the cursor passed; 0 where it was there already. Throws (55000) where nothing was fetched in it.
    result<std::int64_t> ack(until const &limit = {});
    // Up to a position, in any transaction. Refused: cursor_ahead.
    result<std::int64_t> ack(std::string_view stream, position upto, until const &limit = {});
    // All of these and what lies before them, each in its stream, in any order.
    result<std::int64_t> ack(std::span<event const> events, until const &limit = {});

    // Where it goes on: as start of subscribe(). No stream: all of them. Refused: cursor_ahead, cursor_expired.
    result<std::monostate> seek(start const &to, std::optional<std::string_view> stream = {});
    bool unsubscribe();

    // Nothing for one that is not there.
    std::optional<subscription_info> info();

    // Blocks until fetch() gives something, its filter applied, until nothing will come any more (the outcome says
    // why), or until the time is over or a stop was requested. Safe to retry, and retried by the library. Refused:
    // cursor_ahead. Throws within a transaction (25001), and where there is no such subscription (42704).
    result<wait_outcome> wait(until const &limit = {});

private:
    connection *db_;
    std::string name_;
};

// Every subscription that there is, by name.
WEIR_CLIENT_API std::vector<subscription_info> subscriptions(connection &db);

} // namespace weir::inline v0
