// SPDX-License-Identifier: PostgreSQL
//
// Exponential backoff with full jitter: the n-th wait is anything up to first * 2^n,
// so that many who lost the same server do not come back all at once.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace weir::inline v0 {
namespace internal {

template <class Random> std::chrono::milliseconds up_to(std::chrono::milliseconds max, Random &random) {
    using number = std::chrono::milliseconds::rep;
    std::uniform_int_distribution<number> any(0, std::max<number>(max.count(), 1));
    return std::chrono::milliseconds(any(random));
}

class backoff {
public:
    using milliseconds = std::chrono::milliseconds;

    backoff(milliseconds first, milliseconds max) : first_(first), max_(max), bound_(first) {}

    milliseconds next() { return up_to(next_bound(), random_); }
    // Of the next wait, for who throws the dice himself.
    milliseconds next_bound() noexcept { return std::exchange(bound_, std::min(bound_ * 2, max_)); }
    void reset() noexcept { bound_ = first_; }

private:
    milliseconds first_, max_, bound_;
    std::minstd_rand random_{std::random_device{}()};
};

} // namespace internal
} // namespace weir::inline v0
