// SPDX-License-Identifier: PostgreSQL
//
// Where a reader has got to, in a file: a line for each stream, its position and its name. It is
// replaced as a whole (written beside, synced, renamed), so that at every moment, a crash included, there is
// either the old one or the new one. Written after the frames went out: what is lost is at most that some are shown
// again.
#pragma once

#include "weir/position.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace weir::command {

class cursor_file {
public:
    // A file that is not there is an empty one. Throws failure where it cannot be read, or is something else.
    explicit cursor_file(std::string path);

    std::optional<position> find(std::string const &stream) const;
    void set(std::string const &stream, position at);
    // Where something changed. Throws failure.
    void save();

private:
    std::string path_;
    std::map<std::string, position, std::less<>> positions_;
    bool changed_ = false;
};

} // namespace weir::command
