// SPDX-License-Identifier: PostgreSQL
//
// What the threads share: the command line, the gate at which writers stop, and
// what went wrong.
//
// While the gate is shut no writer's statement is running, though transactions may be
// open. So what is settled does not change, and whoever reads must get there with
// the rings that have been.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "dice.hpp"

namespace waking {

using checker::dice;
using position = std::int64_t;

constexpr int never = 3600 * 1000; // the longest weir.poll_interval

struct options {
    std::string conninfo, run = "waking";
    double seconds = 10, grace = 10, burst = 20, idle = 0;
    unsigned streams = 3, writers = 6, waiters = 4, many = 2, listeners = 4, watchers = 2;
    std::uint64_t seed = 1;
    int wait_poll = never, listen_poll = never; // ms
    int kill_worker = 0;                        // ms between two, about; 0: never
    bool prepared = false, wide = false, stop_at_first = false;

    std::string stream(unsigned n) const { return run + "/" + std::to_string(n); }
};

class gate {
public:
    explicit gate(unsigned writers) : expected(writers) {}

    // A writer, between two statements.
    void pass() {
        if (!shut)
            return;
        std::unique_lock hold(lock);
        ++stopped;
        changed.notify_all();
        changed.wait(hold, [&] { return !shut; });
        --stopped;
    }
    // A writer, at its end.
    void leave() {
        std::lock_guard hold(lock);
        --expected;
        changed.notify_all();
    }
    // Returns once no writer is on the way.
    void close() {
        std::unique_lock hold(lock);
        shut = true;
        changed.wait(hold, [&] { return stopped == expected; });
    }
    void open() {
        std::lock_guard hold(lock);
        shut = false;
        changed.notify_all();
    }

private:
    std::mutex lock;
    std::condition_variable changed;
    std::atomic<bool> shut{false};
    unsigned stopped = 0, expected;
};

struct shared {
    std::atomic<bool> enough{false}; // writers end
    std::atomic<std::uint64_t> commits{0}, rollbacks{0}, savepoint_rollbacks{0}, prepared{0}, wide{0}, kills{0},
        looks{0}, rings{0}, polls{0};

    void complain(std::string what) {
        std::lock_guard hold(lock);
        ++errors;
        if (complaints.size() < 5)
            complaints.push_back(std::move(what));
    }

    std::mutex lock;
    std::vector<std::string> complaints;
    std::uint64_t errors = 0;
};

} // namespace waking
