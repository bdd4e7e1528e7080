// SPDX-License-Identifier: PostgreSQL
//
// What the verbs share. Each is a file of its own with one function that adds it to the command line; what it does
// when it was chosen goes to command::run. A further verb is a further file, and a line in main.cpp.
#pragma once

#include "connect.hpp"
#include "weir/position.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::command {

struct command {
    connector server = {};
    std::function<int()> run = {}; // of the verb chosen; gives the exit status
};

// Adds a verb: a line about it, and examples for its help.
CLI::App *add_verb(CLI::App &app, std::string name, std::string about, std::string examples);

// Makes it what is run: T holds the options and has an operator()(command &) that gives the exit status.
template <class T> void run_with(CLI::App *verb, command &all, std::shared_ptr<T> options) {
    verb->callback([&all, options] { all.run = [&all, options] { return (*options)(all); }; });
}

// Options that several verbs have.
CLI::Option *add_duration(CLI::App *verb, std::string name, std::chrono::milliseconds &value, std::string about);
CLI::Option *add_position(CLI::App *verb, std::string name, std::optional<position> &value, std::string about);
struct frame_filter {
    std::vector<std::string> types = {};
    std::string headers = {};
    bool durable_only = false;

    std::optional<std::string> wanted_headers() const {
        return headers.empty() ? std::nullopt : std::optional(headers);
    }
};
void add_filter(CLI::App *verb, frame_filter &filter);

// When --since was: "10m" ago, or a time in any form that the server reads. On the server's clock.
position::time_point moment(connection &db, std::string const &text);

void add_pipe(CLI::App &app, command &all);
void add_append(CLI::App &app, command &all);
void add_read(CLI::App &app, command &all);
void add_tail(CLI::App &app, command &all);
void add_summary(CLI::App &app, command &all);
void add_info(CLI::App &app, command &all);
void add_top(CLI::App &app, command &all);
void add_doctor(CLI::App &app, command &all);
void add_completion(CLI::App &app, command &all);

} // namespace weir::command
