// SPDX-License-Identifier: PostgreSQL
//
// How fast a stream is written, and how many best-effort frames that keeps.
//
// The estimate is a time-weighted moving average over windows. A window opens
// with an append, counts every frame of it and of those within the next
// 100 ms, and is closed by the first append after that: its frames over its
// real length, from opening to opening, are one sample, however short the
// bursts or long the gaps in it.
//
// A sample that lasted one unit of time weighs alpha, one of n units
// 1 - (1 - alpha)^n. The unit is 100 ms, or where frames come slower than that
// the time in which two are expected: else a stream of 0.1 Hz would be judged
// by its last gap alone. The time that 16 take at the pace of the sample
// bounds that, so that a stream that wakes after a day is followed up again.
//
// Too low an estimate drops frames before their time, too high a one only
// keeps more; so a rush is believed at once, up to what chance does not
// explain (rush() below), and unlearnt at the pace of alpha. rate_at() reads
// the open window in the same way, and a gap longer than expected lowers it.
//
// Pure arithmetic: never NaN, infinite or negative, whatever the clock does.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace weir::core {

// All zero: nothing appended yet.
struct rate_state {
    double rate_hz;
    std::int64_t window_start_us;
    std::int64_t window_count;
};
static_assert(std::is_trivially_copyable_v<rate_state>);

namespace rate_detail {

inline constexpr double window_s = 0.1;
inline constexpr double frames_a_unit = 2.0;
inline constexpr double frames_a_unit_rising = 16.0;
inline constexpr double deviations = 2.0;

inline double seconds(std::int64_t from_us, std::int64_t to_us) noexcept {
    return (static_cast<double>(to_us) - static_cast<double>(from_us)) * 1e-6;
}

// The rate that this many independent frames in `length` seconds prove: the
// count less its chance (standard) deviations.
inline double rush(double count, double length) noexcept {
    return std::max(0.0, count - deviations * std::sqrt(count)) / length;
}

// The average after a window of `count` frames in `length` seconds.
inline double blend(double rate, double count, double length, double alpha) noexcept {
    double const sample = count / length;
    if (!(rate > 0))
        return sample;
    double const unit = std::max(window_s, std::min(frames_a_unit / rate, frames_a_unit_rising / sample));
    double const kept = std::pow(1.0 - alpha, length / unit);
    return std::max(kept * rate + (1.0 - kept) * sample, rush(count, length));
}

inline bool usable(double rate) noexcept { return rate >= 0 && rate <= std::numeric_limits<double>::max(); }

inline double sane_alpha(double alpha) noexcept { return alpha > 0 && alpha <= 1 ? alpha : 0.2; }

} // namespace rate_detail

// The state after an append of n frames (a batch counts each) at now_us,
// microseconds of any clock. alpha in (0, 1], anything else counts as 0.2.
// A clock that stepped back opens a new window and keeps the estimate.
inline rate_state rate_append(rate_state state, std::int64_t now_us, std::int64_t n, double alpha) noexcept {
    using namespace rate_detail;
    n = std::max<std::int64_t>(n, 0);
    if (!usable(state.rate_hz))
        state.rate_hz = 0;
    if (state.window_count <= 0)
        return {state.rate_hz, now_us, n};
    double const length = seconds(state.window_start_us, now_us);
    if (length < 0)
        return {state.rate_hz, now_us, n};
    if (length >= window_s) {
        double const rate = blend(state.rate_hz, static_cast<double>(state.window_count), length, sane_alpha(alpha));
        return {rate, now_us, n};
    }
    std::int64_t const room = std::numeric_limits<std::int64_t>::max() - state.window_count;
    state.window_count += std::min(n, room);
    return state;
}

// Frames per second as of now_us, which may lie any time after the last append.
inline double rate_at(rate_state state, std::int64_t now_us, double alpha) noexcept {
    using namespace rate_detail;
    double const rate = usable(state.rate_hz) ? state.rate_hz : 0;
    if (state.window_count <= 0)
        return rate;
    double const length = seconds(state.window_start_us, now_us);
    if (length < 0)
        return rate;
    double const count = static_cast<double>(state.window_count);
    // The frame that opened the window says nothing yet of the gap behind it.
    double const proven = rush(count - 1, std::max(length, window_s));
    bool const overdue = length >= window_s && count / length < rate;
    double const settled = overdue ? blend(rate, count, length, sane_alpha(alpha)) : rate;
    return std::max(settled, proven);
}

// How many frames to keep so that none is dropped before its time to live:
// twice the frames expected in ttl_ms, within [floor, ceiling].
inline std::int64_t maxlen(double rate, std::int64_t ttl_ms, std::int64_t floor, std::int64_t ceiling) noexcept {
    double const wanted = std::ceil(rate * static_cast<double>(ttl_ms) / 1000.0) * 2.0;
    if (!(wanted > static_cast<double>(floor)))
        return floor; // NaN comes here too
    if (wanted >= static_cast<double>(ceiling))
        return std::max(floor, ceiling);
    return static_cast<std::int64_t>(wanted);
}

} // namespace weir::core
