// SPDX-License-Identifier: PostgreSQL
//
// A position as opaque bytes for clients that keep cursors of many kinds:
// one byte 0x02, which names the kind, and 8 bytes big-endian. Anything else,
// a negative number included, is malformed.
#pragma once

#include "core/failure.hpp"

#include <cstdint>
#include <span>

namespace weir::core {

inline constexpr std::size_t cursor_size = 9;
inline constexpr std::byte cursor_prefix{0x02};

constexpr void encode_cursor(std::int64_t from, std::byte (&out)[cursor_size]) noexcept {
    out[0] = cursor_prefix;
    auto const bits = static_cast<std::uint64_t>(from);
    for (std::size_t i = 1; i < cursor_size; ++i)
        out[i] = static_cast<std::byte>((bits >> (8 * (cursor_size - 1 - i))) & 0xFF);
}

constexpr bool decode_cursor(std::span<std::byte const> bytes, std::int64_t &out, failure &why) noexcept {
    why = failure{};
    out = 0;
    auto malformed = [&](std::string_view detail) {
        why.code = errc::malformed;
        compose(why.message, "invalid cursor");
        compose(why.detail, detail);
        compose(why.hint, "Pass the bytes of a cursor back as they were given out.");
        return false;
    };
    if (bytes.empty() || bytes[0] != cursor_prefix)
        return malformed("A cursor starts with the byte 0x02.");
    if (bytes.size() != cursor_size)
        return malformed("A cursor is 9 bytes long.");
    std::uint64_t bits = 0;
    for (std::byte b : bytes.subspan(1))
        bits = (bits << 8) | std::to_integer<std::uint64_t>(b);
    if (bits >> 63)
        return malformed("A cursor holds no negative position.");
    out = static_cast<std::int64_t>(bits);
    return true;
}

} // namespace weir::core
