// SPDX-License-Identifier: PostgreSQL
//
// A connection to a database with weir in it. One thread at a time; only cancel() may
// come from another. Every call blocks until the server has answered, call_timeout
// is over or a stop is requested, and throws weir::error.
//
// A call that only reads, and an append with an idempotency key, outlives a lost
// connection: outside of a transaction it is made again on a new one, for up to
// retry_time. Anything else says that it is in doubt, and reconnects on the next call.
#pragma once

#include "weir/error.hpp"
#include "weir/until.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace weir::inline v0 {

struct connection_options {
    // As libpq takes it: key=value, a URI, or nothing for its environment. Service files work.
    std::string conninfo = {};
    // For one host of the conninfo. What the conninfo or PGCONNECT_TIMEOUT says wins.
    std::chrono::milliseconds connect_timeout{10'000};
    // For one call, retries included; 0: none. A statement in flight is cancelled.
    std::chrono::milliseconds call_timeout{0};
    // How long a call goes on trying to get a new connection, in place of one that was lost.
    std::chrono::milliseconds retry_time{30'000};
    // Ends whatever call waits.
    std::stop_token stop = {};
    // NOTICE and WARNING of the server, one line each; none: dropped.
    std::function<void(std::string_view)> on_notice = {};
    // Shown in pg_stat_activity, unless the conninfo says otherwise.
    std::string application_name = "weir";
};

// What there is at the other end.
struct server_facts {
    int version = 0;               // 150020 is 15.20
    std::string weir_version = {}; // of the extension; empty where the database has none
    bool standby = false;          // in recovery: reads work, appends are refused with 25006
    bool read_only = false;        // transactions are read-only by default
    bool pooler = false;           // the server behind is not the one that was connected to; LISTEN and
                                   // whatever else belongs to a session cannot be relied upon
};

// The rows of a statement, in text form.
class WEIR_CLIENT_API rows {
public:
    std::size_t size() const noexcept;
    bool empty() const noexcept { return size() == 0; }
    std::size_t columns() const noexcept;
    std::string_view name(std::size_t column) const;
    // Nothing is NULL.
    std::optional<std::string_view> at(std::size_t row, std::size_t column) const;
    // What the server says was done: SELECT 3, COMMIT.
    std::string_view tag() const noexcept;
    // Rows that an INSERT, UPDATE or DELETE changed.
    std::size_t affected() const noexcept;

private:
    friend class connection;
    explicit rows(std::shared_ptr<void const> held) : held_(std::move(held)) {}
    std::shared_ptr<void const> held_;
};

namespace internal {
class session;
}

class WEIR_CLIENT_API connection {
public:
    // Connects, at once or not at all.
    explicit connection(connection_options options, until const &limit = {});
    explicit connection(std::string conninfo = {}, until const &limit = {});
    ~connection();
    connection(connection &&) noexcept;
    connection &operator=(connection &&) noexcept;

    // One statement. Parameters are text, nothing is NULL. Not made again by itself.
    rows query(std::string_view sql, std::span<std::optional<std::string_view> const> parameters = {});
    rows query(std::string_view sql, std::initializer_list<std::optional<std::string_view>> parameters);
    // One or more statements without parameters, in one implicit transaction.
    void execute(std::string_view sql);

    // As of the last connect; standby and read_only as the server last said.
    server_facts server() const;
    // Process id of the server's process, 0 where there is no connection.
    int backend_pid() const noexcept;
    bool in_transaction() const noexcept;

    // For the calls that follow; 0: none.
    void call_timeout(std::chrono::milliseconds time) noexcept;

    // Drops the connection and makes a new one, with backoff until then.
    void reconnect(until const &limit = {});

    // Asks the server to end the statement that another thread is in; does nothing where there is none.
    // Opens a connection for that.
    void cancel() noexcept;

    internal::session &session() noexcept { return *session_; }

private:
    std::unique_ptr<internal::session> session_;
};

} // namespace weir::inline v0
