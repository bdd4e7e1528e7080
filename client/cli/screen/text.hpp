// SPDX-License-Identifier: PostgreSQL
//
// Text as people read and write it: what may go to a terminal, how wide it is there,
// durations, times, sizes and counts.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::command {

using milliseconds = std::chrono::milliseconds;
using time_point = std::chrono::time_point<std::chrono::system_clock, milliseconds>;

// Whether a server takes it as text: valid UTF-8 without NUL.
bool is_text(std::string_view bytes) noexcept;
// How many bytes at the end begin a UTF-8 character that is not whole yet: 0 to 3.
std::size_t unfinished_bytes(std::string_view text) noexcept;

// Fit to be printed: control characters, which could do anything to a terminal, come as \x1b; so do bytes that are
// not UTF-8. Newlines and tabs stay; colours (SGR sequences) stay or go as is asked for.
std::string printable(std::string_view text, bool keep_colours);

// Columns on the terminal, without colours.
int width(std::string_view text);
// Cut to so many columns, with an ellipsis; and padded to them.
std::string cut(std::string_view text, int columns);
std::string pad(std::string_view text, int columns);
std::string pad_left(std::string_view text, int columns);

// 250ms, 10s, 5m, 2h, 1d, 1h30m; a bare number is no duration.
std::optional<milliseconds> parse_duration(std::string_view text);

// Digits; and 512, 64kB, 8MB, 1GB.
std::optional<std::int64_t> parse_number(std::string_view text);
std::optional<std::int64_t> parse_bytes(std::string_view text);

std::string show_duration(milliseconds time); // 340 ms, 12.3 s, 4m05s, 3h12m, 2d04h
std::string show_clock(milliseconds time);    // 0:07, 12:03, 1:02:03
std::string show_count(std::int64_t n);       // 1,234,567
std::string show_bytes(std::int64_t n);       // 512 B, 12.3 kB, 4.0 MB
std::string show_rate(double per_second);     // 0, 0.42, 12, 1,234, 56k

std::string show_time(time_point t);                                             // 15:04:05.678, local
std::string show_date(time_point t);                                             // 2026-11-20, local
std::string show_timestamp(time_point t);                                        // 2026-11-20T14:04:05.678Z
std::string plural(std::int64_t n, std::string_view one, std::string_view many); // 1 line, 2 lines

} // namespace weir::command
