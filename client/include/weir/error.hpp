// SPDX-License-Identifier: PostgreSQL
//
// What goes wrong at the server or on the way to it. One type; what matters is
// asked of it, not of a hierarchy.
#pragma once

#include <stdexcept>
#include <string>

namespace weir {

class error : public std::runtime_error {
public:
    error(std::string const &message, std::string sqlstate)
        : std::runtime_error(message), sqlstate_(std::move(sqlstate)) {}

    // Five characters, as in the table of errors of the README; empty where the
    // connection was lost or never made.
    std::string const &sqlstate() const noexcept { return sqlstate_; }

    // The connection cannot be used any more.
    bool poisons_connection() const noexcept { return sqlstate_.empty() || sqlstate_.starts_with("57P"); }

private:
    std::string sqlstate_;
};

} // namespace weir
