// SPDX-License-Identifier: PostgreSQL
#include "shell/arguments.hpp"

#include "screen/text.hpp"
#include "weir/error.hpp"

#include <CLI/CLI.hpp>
#include <charconv>

namespace weir::command {

namespace {

// Takes a value by a function that says whether it is one.
template <class F>
argument parsed(CLI::App *verb, char const *names, char const *kind, char const *about, std::string what, F take) {
    auto checked = [take, what](std::string const &text) {
        if (!take(text))
            throw CLI::ValidationError("\"" + text + "\" is no " + what);
    };
    return argument(verb->add_option_function<std::string>(names, checked, about)->type_name(kind));
}

CLI::Option *list(CLI::App *verb, char const *name, std::vector<std::string> &values, char const *about) {
    return verb->add_option(name, values, about);
}

} // namespace

argument &argument::excludes(argument const &other) {
    option_->excludes(other.option_);
    return *this;
}

argument &argument::needs(argument const &other) {
    option_->needs(other.option_);
    return *this;
}

argument &argument::required() {
    option_->required();
    return *this;
}

arguments::arguments(CLI::App &line, char const *verb, char const *about, char const *examples)
    : verb_(line.add_subcommand(verb, about)) {
    verb_->footer(examples);
    verb_->set_help_flag(); // --help is the command's, as the other common options are
}

void arguments::when_chosen(std::function<void()> call) { verb_->callback(std::move(call)); }

argument arguments::required(char const *place, std::string &value, char const *about) {
    return argument(verb_->add_option(place, value, about)->required());
}

argument arguments::required(char const *place, std::vector<std::string> &values, char const *about) {
    return argument(list(verb_, place, values, about)->required());
}

argument arguments::place(char const *place, std::optional<std::string> &value, char const *about) {
    return argument(
        verb_->add_option_function<std::string>(place, [&value](std::string const &v) { value = v; }, about));
}

argument arguments::place(char const *place, std::vector<std::string> &values, char const *about) {
    return argument(list(verb_, place, values, about));
}

argument arguments::flag(char const *names, bool &value, char const *about) {
    return argument(verb_->add_flag(names, value, about));
}

argument arguments::text(char const *names, std::string &value, char const *kind, char const *about) {
    return argument(verb_->add_option(names, value, about)->type_name(kind));
}

argument arguments::texts(char const *names, std::vector<std::string> &values, char const *kind, char const *about) {
    return argument(
        list(verb_, names, values, about)->type_name(kind)->expected(1)->take_all()->allow_extra_args(false));
}

argument arguments::choice(char const *names, std::string &value, std::initializer_list<char const *> choices,
                           char const *kind, char const *about) {
    std::vector<std::string> const all(choices.begin(), choices.end());
    return argument(verb_->add_option(names, value, about)->type_name(kind)->check(CLI::IsMember(all).description("")));
}

argument arguments::number(char const *names, std::optional<std::int64_t> &value, std::int64_t min, char const *about) {
    return parsed(verb_, names, "N", about, "number from " + std::to_string(min) + " on",
                  [&value, min](std::string const &text) {
                      auto const n = parse_number(text);
                      value = n;
                      return n && *n >= min;
                  });
}

argument arguments::real(char const *names, std::optional<double> &value, char const *about) {
    return parsed(verb_, names, "X", about, "number, like 0.2", [&value](std::string const &text) {
        double n = 0;
        auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
        value = n;
        return failed == std::errc() && end == text.data() + text.size();
    });
}

argument arguments::bytes(char const *names, std::size_t &value, char const *about) {
    return parsed(verb_, names, "SIZE", about, "size, like 64kB or 8MB", [&value](std::string const &text) {
        auto const n = parse_bytes(text);
        value = static_cast<std::size_t>(n.value_or(0));
        return n.has_value();
    });
}

namespace {
template <class T> argument duration_into(CLI::App *verb, char const *names, T &value, char const *about) {
    return parsed(verb, names, "TIME", about, "duration, like 250ms, 10s, 5m or 1h30m",
                  [&value](std::string const &text) {
                      auto const time = parse_duration(text);
                      if (time)
                          value = *time;
                      return time.has_value();
                  });
}
} // namespace

argument arguments::duration(char const *names, std::chrono::milliseconds &value, char const *about) {
    return duration_into(verb_, names, value, about);
}

argument arguments::duration(char const *names, std::optional<std::chrono::milliseconds> &value, char const *about) {
    return duration_into(verb_, names, value, about);
}

argument arguments::position(char const *names, std::optional<weir::position> &value, char const *about) {
    return parsed(verb_, names, "POSITION", about, "position, like 1795171438346-0", [&value](std::string const &text) {
        try {
            value = weir::position::parse(text);
            return true;
        } catch (error const &) {
            return false;
        }
    });
}

} // namespace weir::command
