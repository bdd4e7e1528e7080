// SPDX-License-Identifier: PostgreSQL
#include "verbs/verb.hpp"

#include "screen/text.hpp"
#include "shell/exit.hpp"

#include <algorithm>

namespace weir::command {

void frame_filter::add_to(arguments &verb) {
    verb.texts("-t,--type", types, "TYPE", "Only frames of this type; may be given more than once");
    verb.text("--headers", headers, "JSON", "Only frames whose headers contain this object");
    verb.flag("--durable", durable_only, "Leave best-effort frames out");
}

namespace {

position::time_point asked(connection &db, char const *sql, std::string const &value, std::string const &text,
                           char const *what, char const *hint) {
    try {
        auto const answer = db.query(sql, {value});
        std::int64_t const ms = std::stoll(std::string(answer.at(0, 0).value_or("0")));
        return position::time_point(std::chrono::milliseconds(std::max<std::int64_t>(ms, 0)));
    } catch (error const &e) {
        if (!e.sqlstate().starts_with("2200") && e.sqlstate() != "22023")
            throw;
        throw failure(usage, "\"" + text + "\" is " + what, hint);
    }
}

constexpr char time_sql[] = "SELECT floor(extract(epoch FROM $1::timestamptz) * 1000)::bigint";
constexpr char ago_sql[] = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1::bigint";

} // namespace

position::time_point moment(connection &db, std::string const &text) {
    auto const ago = parse_duration(text);
    return asked(db, ago ? ago_sql : time_sql, ago ? std::to_string(ago->count()) : text, text,
                 "neither a time nor a duration", "For example 10m, 2026-11-20 14:00, or \"yesterday 9:00\".");
}

position::time_point time_at(connection &db, std::string const &text) {
    return asked(db, time_sql, text, text, "not a time", "For example 2026-11-20 14:00, or \"tomorrow 9:00\".");
}

} // namespace weir::command
