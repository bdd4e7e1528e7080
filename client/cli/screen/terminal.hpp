// SPDX-License-Identifier: PostgreSQL
//
// What standard output and standard error are, what they can show, and the way to them.
// Output is gathered and written when asked to, or when there is much of it.
#pragma once

#include <string>
#include <string_view>

namespace weir::command {

enum class colours { automatic, always, never };

// Called once, before anything is printed. Colours come where standard output is a terminal, unless NO_COLOR is set
// or TERM is dumb.
void set_up_terminal(colours wanted);

struct screen {
    bool terminal = false;
    bool colour = false;
    // Columns and rows as of now; 80 by 24 where they are not known.
    int columns() const;
    int rows() const;
    int fd;
};
screen const &standard_output();
screen const &standard_error();
// Whether characters beyond ASCII can be shown.
bool unicode();

// Colours, or nothing where there are none: paint(standard_output(), style::red, "x").
namespace style {
inline constexpr std::string_view bold = "1", dim = "2", red = "31", green = "32", yellow = "33", blue = "34",
                                  magenta = "35", cyan = "36", bold_red = "1;31", bold_green = "1;32",
                                  bold_yellow = "1;33";
}
std::string paint(screen const &where, std::string_view how, std::string_view text);

// To standard output. Throws reader_gone where nobody reads it any more, failure where it cannot be written.
void write(std::string_view text);
void flush();
// At once and straight to a descriptor, past what was gathered.
void write_fully(int fd, std::string_view bytes);

} // namespace weir::command
