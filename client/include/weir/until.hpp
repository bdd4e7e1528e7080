// SPDX-License-Identifier: PostgreSQL
//
// How long a call may block: until a time, until a stop is requested, whichever
// comes first. 5s, a time_point, a stop_token or {5s, token} all convert.
#pragma once

#include <chrono>
#include <stop_token>

namespace weir::inline v0 {

class until {
public:
    using clock = std::chrono::steady_clock;

    // For as long as it takes.
    until() = default;
    until(clock::time_point when, std::stop_token stop = {}) : when_(when), stop_(std::move(stop)) {}
    template <class Rep, class Period> until(std::chrono::duration<Rep, Period> time, std::stop_token stop = {})
        : when_(after(std::chrono::duration<double>(time))), stop_(std::move(stop)) {}
    until(std::stop_token stop) : stop_(std::move(stop)) {}

    clock::time_point when() const noexcept { return when_; }
    std::stop_token const &stop() const noexcept { return stop_; }
    bool stop_requested() const noexcept { return stop_.stop_requested(); }
    bool passed() const noexcept { return when_ != never && clock::now() >= when_; }
    bool over() const noexcept { return stop_requested() || passed(); }

    // The same stop, and the sooner of both times.
    until sooner(clock::time_point other) const { return {other < when_ ? other : when_, stop_}; }

    static constexpr clock::time_point never = clock::time_point::max();

private:
    // A century is as good as never, and does not overflow.
    static clock::time_point after(std::chrono::duration<double> time) {
        if (time >= std::chrono::hours(24 * 36525))
            return never;
        return clock::now() + std::chrono::duration_cast<clock::duration>(time);
    }

    clock::time_point when_ = never;
    std::stop_token stop_;
};

} // namespace weir::inline v0
