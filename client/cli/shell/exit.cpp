// SPDX-License-Identifier: PostgreSQL
#include "shell/exit.hpp"

#include "screen/terminal.hpp"

namespace weir::command {

namespace {

void say(std::string_view how, std::string_view label, std::string_view message) {
    screen const &s = standard_error();
    std::string line = paint(s, style::bold, "weir: ") + paint(s, how, label) + " ";
    line.append(message).append("\n");
    try {
        write_fully(s.fd, line);
    } catch (...) {
        // There is nowhere left to say it.
    }
}

void say_all(std::string_view message, std::string_view detail, std::string_view hint) {
    say(style::bold_red, "error:", message);
    if (!detail.empty())
        say(style::bold, "detail:", detail);
    if (!hint.empty())
        say(style::cyan, "hint:", hint);
}

// What helps where the server has no hint of its own.
std::string_view advice(std::string_view sqlstate, std::string_view message) {
    if (sqlstate == "42501")
        return "An owner of the extension lets a role in: SELECT weir.grant_access('role', 'read' | 'write' | "
               "'admin').";
    if (sqlstate == "3F000" || sqlstate == "42883" || sqlstate == "42P01")
        return message.find("weir") == message.npos ? ""
                                                    : "CREATE EXTENSION weir, in this database; see \"weir doctor\".";
    if (sqlstate == "25006")
        return "Write to the primary: see \"weir doctor\" for what this server is.";
    return {};
}

} // namespace

exit_status status_of(error const &e) noexcept {
    std::string_view const state = e.sqlstate();
    if (state.starts_with("WR"))
        return refused;
    if (state == "25006" || state == "53100" || state == "53200")
        return no_writes;
    if (e.from() == error::source::connection || e.from() == error::source::deadline)
        return no_connection;
    return e.from() == error::source::caller ? usage : failed;
}

void report(error const &e) {
    std::string_view const message = e.what();
    say_all(message, e.detail(), e.hint().empty() ? advice(e.sqlstate(), message) : std::string_view(e.hint()));
    if (e.in_doubt())
        say(style::bold, "detail:", "The connection was lost before the answer came: it may have been done.");
}

void report(failure const &e) { say_all(e.what(), {}, e.hint); }

void report(refusal const &r) { say_all(r.message, r.detail, r.hint); }

void warn(std::string const &message, std::string const &hint) {
    say(style::bold_yellow, "warning:", message);
    if (!hint.empty())
        say(style::cyan, "hint:", hint);
}

void note(std::string const &message) { say(style::dim, "note:", message); }

} // namespace weir::command
