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
