// SPDX-License-Identifier: PostgreSQL
//
// How --help looks, for the command and for each verb: what it is for, how to call it, its options, examples.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace weir::command {

class help_format : public CLI::Formatter {
public:
    std::string make_help(CLI::App const *app, std::string name, CLI::AppFormatMode mode) const override;
};

// What is wrong with the arguments, for people.
std::string explain(CLI::ParseError const &e);

} // namespace weir::command
