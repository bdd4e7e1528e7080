// SPDX-License-Identifier: PostgreSQL
//
// A position: (milliseconds since 1970 << 20) | sequence number, one signed
// 64-bit integer that is never negative and compares as itself. Frame id,
// cursor, revision and checkpoint are all positions.
//
// Text is ms-seq in decimal digits and nothing else: no blank, no sign, no
// bare ms; "-" reads as the least and "+" as the greatest position.
//
// mint() is the rule of the one id space: never below what was assigned,
// never below the clock. A full sequence borrows the next millisecond, which
// is the plain carry of the integer.
#pragma once

#include "core/failure.hpp"

#include <cstdint>
#include <limits>

namespace weir::core {

using position = std::int64_t;

inline constexpr int seq_bits = 20;
inline constexpr std::int64_t max_seq = (std::int64_t{1} << seq_bits) - 1;
inline constexpr std::int64_t max_ms = std::numeric_limits<std::int64_t>::max() >> seq_bits;
inline constexpr position least = 0;
inline constexpr position greatest = std::numeric_limits<std::int64_t>::max();
inline constexpr std::size_t position_text_size = 24; // 13 + 1 + 7 digits and the NUL fit

// Both parts must be in range: 0..max_ms, 0..max_seq.
constexpr position make(std::int64_t ms, std::int64_t seq) noexcept { return (ms << seq_bits) | seq; }
constexpr std::int64_t ms_of(position p) noexcept { return p >> seq_bits; }
constexpr std::int64_t seq_of(position p) noexcept { return p & max_seq; }

// Reads text; false with errc::malformed or errc::out_of_range. Any number
// of leading zeros is allowed.
constexpr bool parse_position(std::string_view text, std::int64_t &out, failure &why) noexcept {
    why = failure{};
    out = least;
    if (text == "-")
        return true;
    if (text == "+") {
        out = greatest;
        return true;
    }
    std::int64_t part[2] = {0, 0};
    std::int64_t const limit[2] = {max_ms, max_seq};
    std::size_t at = 0;
    bool fits = true;
    bool formed = true;
    for (int i = 0; i < 2 && formed; ++i) {
        std::size_t const start = at;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
            part[i] = part[i] * 10 + (text[at] - '0');
            if (part[i] > limit[i]) {
                part[i] = limit[i]; // stays in int64 however many digits follow
                fits = false;
            }
        }
        formed = at > start;
        if (i == 0 && formed)
            formed = at < text.size() && text[at++] == '-';
    }
    if (!formed || at != text.size()) {
        why.code = errc::malformed;
        std::string_view const shown = text.substr(0, 96);
        compose(why.message, "invalid input syntax for type weir.position: \"", shown,
                shown.size() < text.size() ? "...\"" : "\"");
        compose(why.hint, "A position is written ms-seq, for example 1795171438346-0; "
                          "- is the least and + the greatest.");
        return false;
    }
    if (!fits) {
        why.code = errc::out_of_range;
        std::string_view const shown = text.substr(0, 96);
        compose(why.message, "value \"", shown, shown.size() < text.size() ? "...\"" : "\"",
                " is out of range for type weir.position");
        compose(why.detail, "Milliseconds go from 0 to 8796093022207 and sequence numbers from 0 to 1048575.");
        return false;
    }
    out = make(part[0], part[1]);
    return true;
}

// Writes ms-seq and a NUL into a buffer of at least position_text_size bytes;
// returns the length without the NUL. p must not be negative.
constexpr std::size_t format_position(position p, char *buffer) noexcept {
    std::size_t used = 0;
    auto put = [&](std::int64_t number) {
        char digits[20] = {};
        int n = 0;
        do {
            digits[n++] = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number > 0);
        while (n > 0)
            buffer[used++] = digits[--n];
    };
    put(ms_of(p));
    buffer[used++] = '-';
    put(seq_of(p));
    buffer[used] = '\0';
    return used;
}

// The first of `count` consecutive positions to hand out next: the clock, or
// one above `last` (the last one in the log, -1: none) and above `floor`
// (never mint this or below; -1: none), whichever is greatest. Never 0-0,
// which as an exclusive cursor means the beginning. -1 where they do not all
// fit below or at the greatest position, or count < 1. A clock before 1970 counts
// as 1970.
constexpr position mint(position last, std::int64_t now_ms, position floor, std::int64_t count = 1) noexcept {
    if (now_ms > max_ms || count < 1 || last == greatest || floor == greatest)
        return -1;
    position next = now_ms > 0 ? make(now_ms, 0) : 1;
    if (last + 1 > next)
        next = last + 1;
    if (floor + 1 > next)
        next = floor + 1;
    return count - 1 > greatest - next ? -1 : next;
}

} // namespace weir::core
