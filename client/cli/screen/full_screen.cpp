// SPDX-License-Identifier: PostgreSQL
#include "screen/full_screen.hpp"

#include "screen/terminal.hpp"
#include "screen/text.hpp"

#include <algorithm>
#include <poll.h>
#include <unistd.h>

namespace weir::command {

full_screen::full_screen() {
    if (tcgetattr(STDIN_FILENO, &before_) == 0 && tcgetpgrp(STDIN_FILENO) == getpgrp()) {
        termios raw = before_;
        raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
        keys_ = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    }
    write("\x1b[?1049h\x1b[?25l"); // another screen, no cursor
    flush();
}

full_screen::~full_screen() {
    try {
        write("\x1b[?25h\x1b[?1049l");
        flush();
    } catch (...) {
        // The terminal is gone.
    }
    if (keys_)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

void full_screen::draw(std::vector<std::string> const &lines) {
    screen const &out = standard_output();
    std::size_t const room = static_cast<std::size_t>(out.rows());
    std::string text = "\x1b[H";
    for (std::size_t i = 0; i < std::min(room, lines.size()); i++)
        text.append(i > 0 ? "\r\n" : "").append(cut(lines[i], out.columns())).append("\x1b[K");
    write(text + "\x1b[J");
    flush();
}

char full_screen::key() {
    pollfd p{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    char c = 0;
    if (!keys_ || poll(&p, 1, 0) <= 0)
        return 0;
    if (::read(STDIN_FILENO, &c, 1) != 1)
        keys_ = false; // the terminal is gone
    return c;
}

} // namespace weir::command
