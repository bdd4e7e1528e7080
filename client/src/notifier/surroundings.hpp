// SPDX-License-Identifier: PostgreSQL
//
// What the notifier's loop has of the world beside libpq: the time, a way to wait, and
// dice. Nothing else in it looks at a clock, so that a test can put it into a world of its
// own, in which time passes when the test says so (test/client/loop).
#pragma once

#include "weir/until.hpp"

#include <chrono>
#include <poll.h>
#include <random>
#include <vector>

namespace weir::inline v0 {
namespace internal {

class surroundings {
public:
    virtual ~surroundings() = default;

    // Monotonic: nobody sets it.
    virtual until::clock::time_point now();
    // Until one of these is ready, or that time has come.
    virtual void wait(std::vector<pollfd> &fds, until::clock::time_point limit);
    // Anything from 0 to that.
    virtual std::chrono::milliseconds any(std::chrono::milliseconds max);

private:
    std::minstd_rand random_{std::random_device{}()};
};

} // namespace internal
} // namespace weir::inline v0
