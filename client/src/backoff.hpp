// SPDX-License-Identifier: PostgreSQL
//
// Exponential backoff with full jitter: the n-th wait is anything up to first * 2^n,
// so that many who lost the same server do not come back all at once.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace weir::inline v0 {
namespace internal {

class backoff {
public:
    using milliseconds = std::chrono::milliseconds;

    backoff(milliseconds first, milliseconds most) : first_(first), most_(most), bound_(first) {}

    milliseconds next() {
        std::uniform_int_distribution<milliseconds::rep> any(0, std::max<milliseconds::rep>(bound_.count(), 1));
        bound_ = std::min(bound_ * 2, most_);
        return milliseconds(any(random_));
    }
    void reset() noexcept { bound_ = first_; }

private:
    milliseconds first_, most_, bound_;
    std::minstd_rand random_{std::random_device{}()};
};

} // namespace internal
} // namespace weir::inline v0
