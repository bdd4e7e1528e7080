// SPDX-License-Identifier: PostgreSQL
//
// What the verbs share. Each is a file of its own with one function that adds it to the command line; what it does
// when it was chosen goes to command::run. A further verb is a further file, and a line in main.cpp.
#pragma once

#include "shell/arguments.hpp"
#include "shell/connect.hpp"
#include "weir/position.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::command {

struct command {
    CLI::App &line;
    connector server = {};
    std::function<int()> run = {}; // of the verb chosen; gives the exit status

    // Makes a verb what is run: T holds its arguments and has an operator()(command &) that gives the exit status.
    template <class T> void run_by(arguments &verb, std::shared_ptr<T> values) {
        verb.when_chosen([this, values] { run = [this, values] { return (*values)(*this); }; });
    }
};

// Arguments that several verbs have.
struct frame_filter {
    std::vector<std::string> types = {};
    std::string headers = {};
    bool durable_only = false;

    void add_to(arguments &verb);
    std::optional<std::string> wanted_headers() const {
        return headers.empty() ? std::nullopt : std::optional(headers);
    }
};

// When --since was: "10m" ago, or a time in any form that the server reads. On the server's clock.
position::time_point moment(connection &db, std::string const &text);
// A time alone.
position::time_point time_at(connection &db, std::string const &text);

void add_pipe(command &all);
void add_append(command &all);
void add_create(command &all);
void add_alter(command &all);
void add_read(command &all);
void add_tail(command &all);
void add_summary(command &all);
void add_info(command &all);
void add_top(command &all);
void add_emit(command &all);
void add_subscribe(command &all);
void add_lease(command &all);
void add_blockers(command &all);
void add_doctor(command &all);
void add_completion(command &all);

} // namespace weir::command
