// SPDX-License-Identifier: PostgreSQL
//
// The arguments of a verb: each is named, bound to a variable, and described for --help and for the completion of
// shells. What is wrong with a value is said with an example of a right one, and ends the command with status 2.
#pragma once

#include "weir/position.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace weir::command {

// One of them, for what remains to be said of it.
class argument {
public:
    explicit argument(CLI::Option *option) : option_(option) {}
    argument &excludes(argument const &other);
    argument &needs(argument const &other);
    argument &required();

private:
    CLI::Option *option_;
};

// Names are "-f,--follow". kind is what stands for the value in help: FILE, N.
class arguments {
public:
    // Of a new verb: a line about it, and examples for its help.
    arguments(CLI::App &line, char const *verb, char const *about, char const *examples);
    // Where it is the verb that was given.
    void when_chosen(std::function<void()> call);

    // What has no name goes by its place.
    argument required(char const *place, std::string &value, char const *about);
    argument required(char const *place, std::vector<std::string> &values, char const *about);
    argument place(char const *place, std::optional<std::string> &value, char const *about);
    argument place(char const *place, std::vector<std::string> &values, char const *about);

    argument flag(char const *names, bool &value, char const *about);
    argument text(char const *names, std::string &value, char const *kind, char const *about);
    // May be given more than once, with one value each.
    argument texts(char const *names, std::vector<std::string> &values, char const *kind, char const *about);
    argument choice(char const *names, std::string &value, std::initializer_list<char const *> choices,
                    char const *kind, char const *about);
    argument number(char const *names, std::optional<std::int64_t> &value, std::int64_t min, char const *about);
    argument real(char const *names, std::optional<double> &value, char const *about);
    argument bytes(char const *names, std::size_t &value, char const *about);                  // 8MB
    argument duration(char const *names, std::chrono::milliseconds &value, char const *about); // 10m
    argument duration(char const *names, std::optional<std::chrono::milliseconds> &value, char const *about);
    argument position(char const *names, std::optional<weir::position> &value, char const *about);

private:
    CLI::App *verb_;
};

} // namespace weir::command
