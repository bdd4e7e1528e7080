// SPDX-License-Identifier: PostgreSQL
#include "verb.hpp"

#include "exit.hpp"
#include "text.hpp"

namespace weir::command {

CLI::App *add_verb(CLI::App &app, std::string name, std::string about, std::string examples) {
    CLI::App *verb = app.add_subcommand(std::move(name), std::move(about));
    verb->footer(std::move(examples));
    verb->set_help_flag(); // --help is the command's, as the other common options are
    return verb;
}

CLI::Option *add_duration(CLI::App *verb, std::string name, std::chrono::milliseconds &value, std::string about) {
    auto take = [&value](std::string const &text) {
        auto const parsed = parse_duration(text);
        if (!parsed)
            throw CLI::ValidationError("\"" + text + "\" is no duration, like 250ms, 10s, 5m or 1h30m");
        value = *parsed;
    };
    return verb->add_option_function<std::string>(std::move(name), take, std::move(about))->type_name("TIME");
}

CLI::Option *add_position(CLI::App *verb, std::string name, std::optional<position> &value, std::string about) {
    auto take = [&value](std::string const &text) {
        try {
            value = position::parse(text);
        } catch (error const &) {
            throw CLI::ValidationError("\"" + text + "\" is no position, like 1795171438346-0");
        }
    };
    return verb->add_option_function<std::string>(std::move(name), take, std::move(about))->type_name("POSITION");
}

void add_filter(CLI::App *verb, frame_filter &filter) {
    verb->add_option("-t,--type", filter.types, "Only frames of this type; may be given more than once")
        ->type_name("TYPE")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    verb->add_option("--headers", filter.headers, "Only frames whose headers contain this object")->type_name("JSON");
    verb->add_flag("--durable", filter.durable_only, "Leave best-effort frames out");
}

position::time_point moment(connection &db, std::string const &text) {
    auto const ago = parse_duration(text);
    std::string const value = ago ? std::to_string(ago->count()) : text;
    try {
        auto const answer =
            db.query(ago ? "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1::bigint"
                         : "SELECT floor(extract(epoch FROM $1::timestamptz) * 1000)::bigint",
                     {value});
        std::int64_t const ms = std::stoll(std::string(answer.at(0, 0).value_or("0")));
        return position::time_point(std::chrono::milliseconds(std::max<std::int64_t>(ms, 0)));
    } catch (error const &e) {
        if (!e.sqlstate().starts_with("2200") && e.sqlstate() != "22023")
            throw;
        throw failure(usage, "\"" + text + "\" is neither a time nor a duration",
                      "For example 10m, 2026-11-20 14:00, or \"yesterday 9:00\".");
    }
}

} // namespace weir::command
