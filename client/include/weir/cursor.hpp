// SPDX-License-Identifier: PostgreSQL
//
// A position as opaque bytes, for those who keep cursors of many kinds beside each
// other: nine bytes, of which the first names the kind. Store them as they are and
// pass them back as they were given out.
#pragma once

#include "weir/position.hpp"

#include <array>
#include <cstddef>
#include <span>

namespace weir::inline v0 {

class cursor {
public:
    constexpr cursor() = default;
    constexpr explicit cursor(position p) : position_(p) {}

    // Throws weir::error with SQLSTATE 22P02 where the bytes are no cursor.
    WEIR_CLIENT_API static cursor parse(std::span<std::byte const> bytes);
    WEIR_CLIENT_API std::array<std::byte, 9> bytes() const noexcept;

    // What has been seen: go on after it.
    constexpr position after() const noexcept { return position_; }

    friend constexpr bool operator==(cursor const &, cursor const &) = default;

private:
    position position_;
};

} // namespace weir::inline v0
