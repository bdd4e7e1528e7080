// SPDX-License-Identifier: PostgreSQL
//
// A position: what orders everything in weir. Frame id, cursor and checkpoint are
// positions. Eight bytes, (milliseconds since 1970 << 20) | sequence number, on the
// server's clock; never reused, never going back. Its text is ms-seq.
#pragma once

#include "weir/export.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace weir::inline v0 {

class position {
public:
    using time_point = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

    // The least one, 0-0: as a cursor it means the beginning.
    constexpr position() = default;
    // The integer form, not negative.
    constexpr explicit position(std::int64_t value) : value_(value) {}

    // Reads ms-seq, "-" (the least) or "+" (the greatest). Throws weir::error with
    // 22P02 where the text is malformed and 22003 where a part is out of range.
    WEIR_CLIENT_API static position parse(std::string_view text);

    // The first position of a millisecond.
    static constexpr position at(time_point t) { return position(t.time_since_epoch().count() << 20); }
    static constexpr position least() { return position(); }
    static constexpr position greatest() { return position(std::numeric_limits<std::int64_t>::max()); }

    constexpr std::int64_t value() const noexcept { return value_; }
    constexpr time_point time() const noexcept { return time_point(std::chrono::milliseconds(value_ >> 20)); }
    constexpr std::int64_t sequence() const noexcept { return value_ & ((std::int64_t{1} << 20) - 1); }
    WEIR_CLIENT_API std::string text() const;

    friend constexpr auto operator<=>(position const &, position const &) = default;

private:
    std::int64_t value_ = 0;
};

} // namespace weir::inline v0
