// SPDX-License-Identifier: PostgreSQL
//
// The whole terminal for as long as this lives: a screen of its own, no cursor, keys as they are pressed. The terminal
// is as it was before when this ends, however it ends.
#pragma once

#include <string>
#include <termios.h>
#include <vector>

namespace weir::command {

class full_screen {
public:
    full_screen();
    ~full_screen();
    full_screen(full_screen const &) = delete;
    full_screen &operator=(full_screen const &) = delete;

    // Lines that do not fit are left out; all of it at once, so that nothing flickers.
    void draw(std::vector<std::string> const &lines);
    // To wait for keys on, -1 where there are none to come.
    int input() const noexcept { return keys_ ? 0 : -1; }
    // A key that was pressed; 0: none.
    char key();

private:
    bool keys_ = false;
    termios before_{};
};

} // namespace weir::command
