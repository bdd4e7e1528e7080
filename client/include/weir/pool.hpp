// SPDX-License-Identifier: PostgreSQL
//
// A few connections for many threads. Made when needed, kept, given out one at a time;
// one that comes back within a transaction is rolled back, a broken one is replaced. Thread-safe.
#pragma once

#include "weir/connection.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

namespace weir::inline v0 {

struct pool_options {
    connection_options connect = {};
    std::size_t size = 4;
    // An idle connection is closed after this, at the next call of the pool.
    std::chrono::milliseconds idle_time{60'000};
};

class WEIR_CLIENT_API pool {
    struct state;

public:
    explicit pool(pool_options options = {});
    // Connections that are out stay usable, and are closed when they come back.
    ~pool();
    pool(pool const &) = delete;
    pool &operator=(pool const &) = delete;

    // A connection for as long as this lives.
    class WEIR_CLIENT_API loan {
    public:
        ~loan();
        loan(loan &&) noexcept;
        loan &operator=(loan &&) noexcept;
        connection &operator*() const noexcept { return *connection_; }
        connection *operator->() const noexcept { return connection_.get(); }

    private:
        friend class pool;
        loan(std::shared_ptr<state> from, std::unique_ptr<connection> c);
        std::shared_ptr<state> from_;
        std::unique_ptr<connection> connection_;
    };

    // Waits for one to come back where all are out. Throws timed_out() or stopped(), and what connecting throws.
    loan acquire(until const &limit = {});
    // Nothing where all are out.
    std::optional<loan> try_acquire();

    std::size_t open() const; // connections that there are, idle or out
    std::size_t idle() const;

private:
    std::shared_ptr<state> state_;
};

} // namespace weir::inline v0
