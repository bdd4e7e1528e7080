// SPDX-License-Identifier: PostgreSQL
//
// What was tried and what was seen: the only input of the verdict.
//
// A writer owns its attempts, a reader its deliveries; nothing here is shared
// between threads while they run, but `shared`: counters and two monotonic bounds
// a stream, which turn real-time order into checks on the spot:
//
//   last_assigned   no append called after position p came back to any client may get
//                a position at or below p, whatever became of p's transaction;
//   settled      no read begun after any reader was given the durable frame p may
//                stop short of p. Readers without best-effort frames do not wait
//                for those in flight, so they may be further, and have a bound of
//                their own: index 0 is theirs, 1 that of readers of everything.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "content.hpp"
#include "options.hpp"

namespace checker {

using position = std::int64_t;

enum class status { open, committed, aborted, doubt };

struct attempt {
    frame_key key = 0;
    std::uint64_t transaction = 0;
    position first = 0, last = 0;  // of its call; 0: never returned
    unsigned index = 0, count = 1; // within its call
    std::int64_t version = 0;      // patches
    status became = status::open;
};

struct delivery {
    position id;
    frame_key key; // 0: the close mark
};

// Frames that one statement returned for the whole of a range.
struct range_sample {
    unsigned stream = 0;
    position above = 0;    // exclusive
    std::uint64_t own = 0; // the reader's own transaction, whose open frames it may see
    bool with_best_effort = true;
    std::vector<delivery> frames;
};

struct summary_sample {
    unsigned stream;
    position at;
    std::int64_t version;
    std::string document;
};

// Violations by the claim they break: each claim is one line of the report.
enum class claim {
    complete,
    aborted,
    intact,
    once,
    ascending,
    monotonic,
    unique,
    atomic,
    fresh,
    repeatable,
    ranges,
    batches,
    folds,
    versions,
    last,
    counts,
    errors,
    count_
};

constexpr unsigned max_streams = 256;

struct shared {
    std::array<std::atomic<position>, max_streams> last_assigned{}, settled_patch{};
    std::array<std::array<std::atomic<position>, max_streams>, 2> settled{};
    std::atomic<std::uint64_t> serial{1}, transaction{1};
    std::atomic<std::uint64_t> commits{0}, rollbacks{0}, savepoint_rollbacks{0}, overflows{0}, prepared{0},
        disconnects{0}, cancelled{0}, replayed{0}, vacuums{0}, reads{0};
    std::atomic<bool> writers_done{false}, drain{false}, give_up{false};

    // So much was tried that a verdict says something. Patches and deliveries follow from it.
    bool enough(const options &o) const {
        return commits >= o.transactions && rollbacks > 0 && savepoint_rollbacks > 0 &&
               (o.prepared == 0 || prepared > 0);
    }

    static void raise_to(std::atomic<position> &bound, position to) {
        position seen = bound.load();
        while (seen < to && !bound.compare_exchange_weak(seen, to)) {
        }
    }

    void violate(claim which, std::string what) {
        std::lock_guard hold(lock);
        auto &list = violations[static_cast<unsigned>(which)];
        ++counts[static_cast<unsigned>(which)];
        if (list.size() < 5)
            list.push_back(std::move(what));
    }

    std::mutex lock;
    std::array<std::vector<std::string>, static_cast<unsigned>(claim::count_)> violations;
    std::array<std::uint64_t, static_cast<unsigned>(claim::count_)> counts{};
};

inline std::string text_of(position p) { return std::to_string(p >> 20) + "-" + std::to_string(p & 0xfffff); }

} // namespace checker
