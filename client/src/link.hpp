// SPDX-License-Identifier: PostgreSQL
//
// A libpq connection that never blocks: who drives it waits for fd() to be ready for
// events() and then calls advance() or receive(). Used by the blocking calls of a
// connection and by the loop of a notifier.
//
//     closed --open()--> connecting --advance()--> open --close(), or lost--> closed
#pragma once

#include "conninfo.hpp"
#include "libpq.hpp"
#include "weir/error.hpp"
#include "weir/until.hpp"

#include <chrono>
#include <functional>
#include <string_view>

namespace weir::inline v0 {
namespace internal {

class link {
public:
    enum class phase { closed, connecting, open };

    link() = default;
    link(link const &) = delete; // libpq knows its address
    link &operator=(link const &) = delete;

    // Throws weir::error where it fails at once.
    void open(conninfo const &to, std::chrono::milliseconds connect_timeout,
              until::clock::time_point now = until::clock::now());
    void close() noexcept;

    // What the server writes to the client beside answers; to be set before open().
    void on_notice(std::function<void(std::string_view)> f) { on_notice_ = std::move(f); }

    phase where() const noexcept { return phase_; }
    bool is_open() const noexcept { return phase_ == phase::open; }
    PGconn *get() const noexcept { return connection_.get(); }
    int fd() const noexcept { return PQsocket(connection_.get()); }
    short events() const noexcept;

    // While connecting: when to give up.
    until::clock::time_point connect_by() const noexcept { return connect_by_; }

    // Goes on connecting. Throws weir::error, closed, where it failed.
    phase advance();

    // Sends what is still to be sent; true where that was all. False, and lost() from then on, where the
    // connection broke.
    bool flush() noexcept;
    // Reads what is there. False where the connection broke; what was read before may hold the reason.
    bool receive() noexcept;
    bool lost() const noexcept { return lost_ || PQstatus(connection_.get()) == CONNECTION_BAD; }

    // Without waiting: whether an idle connection is still there.
    bool alive() noexcept;

private:
    owned<PGconn> connection_;
    phase phase_ = phase::closed;
    PostgresPollingStatusType wants_ = PGRES_POLLING_WRITING;
    until::clock::time_point connect_by_ = until::never;
    bool unsent_ = false, lost_ = false;
    std::function<void(std::string_view)> on_notice_;
};

} // namespace internal
} // namespace weir::inline v0
