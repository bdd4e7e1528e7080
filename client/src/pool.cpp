// SPDX-License-Identifier: PostgreSQL
#include "weir/pool.hpp"

#include "session.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace weir::inline v0 {

struct pool::state {
    struct resting {
        std::unique_ptr<weir::connection> held;
        until::clock::time_point since;
    };

    pool_options options;
    std::mutex lock;
    std::condition_variable_any returned;
    std::vector<resting> idle; // the last one used is the first one out
    std::size_t open = 0;      // idle or out
    bool closed = false;

    // Takes out what has been idle for too long; to be destroyed without the lock.
    std::vector<resting> stale() {
        std::vector<resting> old;
        auto const before = until::clock::now() - options.idle_time;
        auto const keep = std::find_if(idle.begin(), idle.end(), [&](resting const &r) { return r.since >= before; });
        old.assign(std::move_iterator(idle.begin()), std::move_iterator(keep));
        idle.erase(idle.begin(), keep);
        open -= old.size();
        return old;
    }

    void give_back(std::unique_ptr<connection> c) noexcept {
        bool usable = c->backend_pid() != 0;
        try {
            if (usable && c->in_transaction())
                c->execute("ROLLBACK");
        } catch (std::exception const &) {
            usable = false;
        }
        std::vector<resting> old;
        {
            std::lock_guard const guard(lock);
            if (usable && !closed)
                idle.push_back({std::move(c), until::clock::now()});
            else
                open--;
            old = stale();
        }
        returned.notify_one();
    }
};

pool::pool(pool_options options) : state_(std::make_shared<state>()) {
    state_->options = std::move(options);
    state_->options.size = std::max<std::size_t>(state_->options.size, 1);
}

pool::~pool() {
    std::vector<state::resting> idle;
    std::lock_guard const guard(state_->lock);
    state_->closed = true;
    idle.swap(state_->idle);
    state_->open -= idle.size();
}

pool::loan::loan(std::shared_ptr<state> from, std::unique_ptr<connection> c)
    : from_(std::move(from)), connection_(std::move(c)) {}
pool::loan::loan(loan &&) noexcept = default;
pool::loan &pool::loan::operator=(loan &&other) noexcept {
    std::swap(from_, other.from_);
    std::swap(connection_, other.connection_);
    return *this;
}
pool::loan::~loan() {
    if (connection_)
        from_->give_back(std::move(connection_));
}

pool::loan pool::acquire(until const &limit) {
    std::vector<state::resting> old;
    std::unique_lock guard(state_->lock);
    old = state_->stale();
    auto const free = [this] { return !state_->idle.empty() || state_->open < state_->options.size; };
    // The stop of the options ends this wait as well.
    std::stop_source either;
    auto const forward = [&either] { either.request_stop(); };
    std::stop_callback const one(limit.stop(), forward), other(state_->options.connect.stop, forward);
    bool const got = limit.when() == until::never
                         ? state_->returned.wait(guard, either.get_token(), free)
                         : state_->returned.wait_until(guard, either.get_token(), limit.when(), free);
    if (!got) {
        bool const stopped = either.stop_requested();
        throw error({.from = stopped ? error::source::stop : error::source::deadline,
                     .message = stopped ? "stopped while all connections of the pool were out"
                                        : "timeout expired while all connections of the pool were out"});
    }
    if (!state_->idle.empty()) {
        auto c = std::move(state_->idle.back().held);
        state_->idle.pop_back();
        return {state_, std::move(c)};
    }
    state_->open++;
    guard.unlock();
    try {
        return {state_, std::make_unique<connection>(state_->options.connect, limit)};
    } catch (...) {
        guard.lock();
        state_->open--;
        guard.unlock();
        state_->returned.notify_one();
        throw;
    }
}

std::optional<pool::loan> pool::try_acquire() {
    {
        std::lock_guard const guard(state_->lock);
        if (state_->idle.empty() && state_->open >= state_->options.size)
            return {};
    }
    try {
        return acquire(std::chrono::milliseconds(0));
    } catch (error const &e) {
        if (e.timed_out())
            return {};
        throw;
    }
}

std::size_t pool::open() const {
    std::lock_guard const guard(state_->lock);
    return state_->open;
}

std::size_t pool::idle() const {
    std::lock_guard const guard(state_->lock);
    return state_->idle.size();
}

} // namespace weir::inline v0
