// SPDX-License-Identifier: PostgreSQL
//
// What a guard, the keeper's two threads and the keeper share.
//
//     held --- refused by the server, or the deadline passed ---> lost (told once)
//       \----- release() ---------------------------------------> released
//
// The keeper's lock covers what is not const or atomic. Nobody is called, and nothing is asked of the
// server, with the lock held.
#pragma once

#include "backoff.hpp"
#include "notifier/core.hpp"
#include "weir/lease_guard.hpp"
#include "weir/pool.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>

namespace weir::inline v0 {

namespace internal {

// Goes on while the process is stopped and, where there is such a clock, while the machine sleeps.
struct lease_clock {
    using duration = std::chrono::nanoseconds;
    static duration now() noexcept;
};

} // namespace internal

struct lease_guard::state {
    state(std::shared_ptr<lease_keeper::core> k, std::string called, lease_options o);

    std::shared_ptr<lease_keeper::core> const keeper;
    std::string const name;
    lease_options const options;
    std::string const owner;
    std::int64_t epoch = 0; // const once it is held
    std::stop_source ended;
    internal::revocable<refusal const &> on_lost;
    std::atomic<bool> held{false};
    std::atomic<internal::lease_clock::duration> deadline{};

    // Under the keeper's lock.
    internal::lease_clock::duration renew_at{};
    internal::backoff pause;
    std::optional<refusal> why;
    std::string trouble = {}; // what the last renewal failed with
};

struct lease_keeper::core : std::enable_shared_from_this<core> {
    using entry = std::shared_ptr<lease_guard::state>;
    using duration = internal::lease_clock::duration;

    explicit core(lease_keeper_options o);

    result<lease_guard> ask(entry const &e, until const &limit);
    void keep(entry const &e);
    // False where it was not held any more.
    bool forget(entry const &e);
    void lose(entry const &e, refusal why);
    std::optional<refusal> why(lease_guard::state const &e);
    result<bool> release(lease_guard::state const &e, std::optional<std::string_view> reason, until const &limit);

    void start();
    void end();

    lease_keeper_options const options;

private:
    void renew_all();
    void watch_all();
    void renew(entry const &e);
    void renewed(entry const &e, duration asked);
    void put_off(entry const &e, std::string trouble);

    std::stop_source ending_;
    pool connections_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::unordered_set<entry> held_;
    bool ended_ = false;
    std::thread renewer_, watcher_;
    std::optional<std::stop_callback<std::function<void()>>> users_stop_;
};

} // namespace weir::inline v0
