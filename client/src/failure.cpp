// SPDX-License-Identifier: PostgreSQL
#include "failure.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace weir::inline v0 {
namespace internal {

namespace {

constexpr std::array<std::pair<std::string_view, refusal::reason>, 10> refusals{{
    {"WR001", refusal::reason::stream_closed},
    {"WR002", refusal::reason::already_exists},
    {"WR003", refusal::reason::cursor_ahead},
    {"WR004", refusal::reason::cursor_expired},
    {"WR005", refusal::reason::idempotency_conflict},
    {"WR006", refusal::reason::summary_expired},
    {"WR010", refusal::reason::lease_not_held},
    {"WR011", refusal::reason::lease_revoked},
    {"WR012", refusal::reason::lease_expired},
    {"WR013", refusal::reason::stale_lease},
}};

std::string field(PGresult const *r, int code) {
    char const *value = PQresultErrorField(r, code);
    return value == nullptr ? "" : value;
}

} // namespace

bool succeeded(PGresult const *r) noexcept {
    switch (PQresultStatus(r)) {
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
    case PGRES_PIPELINE_SYNC:
        return true;
    default:
        return false;
    }
}

std::string trimmed(char const *message) {
    std::string text = message == nullptr ? "" : message;
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.pop_back();
    return text;
}

error::details describe(PGresult const *r) {
    error::details what;
    what.sqlstate = field(r, PG_DIAG_SQLSTATE);
    what.message = field(r, PG_DIAG_MESSAGE_PRIMARY);
    if (what.message.empty())
        what.message = trimmed(PQresultErrorMessage(r));
    what.detail = field(r, PG_DIAG_MESSAGE_DETAIL);
    what.hint = field(r, PG_DIAG_MESSAGE_HINT);
    std::string const severity = field(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    // libpq reports a broken connection as a result without an SQLSTATE.
    if (what.sqlstate.empty() || severity == "FATAL" || severity == "PANIC") {
        what.from = error::source::connection;
        what.poisons_connection = true;
    }
    return what;
}

error::details describe_lost(PGconn const *c) {
    error::details what;
    what.from = error::source::connection;
    what.message = trimmed(c == nullptr ? nullptr : PQerrorMessage(c));
    if (what.message.empty())
        what.message = "the connection to the server was lost";
    what.poisons_connection = true;
    return what;
}

error::details describe_refused(PGconn const *c) {
    error::details what = describe_lost(c);
    std::string clean;
    for (std::string_view rest = what.message; !rest.empty();) {
        std::size_t const end = std::min(rest.find('\n'), rest.size());
        std::string_view const line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.starts_with("LOCATION:"))
            continue;
        if (!clean.empty())
            clean += '\n';
        // … FATAL:  28P01: password authentication failed …
        std::size_t const at = line.find(":  ");
        if (at != line.npos && line.size() > at + 10 && line.substr(at + 8, 2) == ": " &&
            line.substr(at + 3, 5).find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == line.npos) {
            // Of several hosts, one that may take us later counts more.
            if (!what.sqlstate.starts_with("57P") && !what.sqlstate.starts_with("53"))
                what.sqlstate = line.substr(at + 3, 5);
            clean.append(line.substr(0, at + 3)).append(line.substr(at + 10));
        } else {
            clean += line;
        }
    }
    what.message = std::move(clean);
    if (what.sqlstate.empty() && c != nullptr && PQconnectionNeedsPassword(c) != 0)
        what.sqlstate = "28P01"; // libpq ended it, since there is none to send
    return what;
}

bool ended_by_server(error::details const &what) noexcept {
    // Class 08 comes from a pooler that lost its server: that says nothing of the statement.
    return what.from == error::source::connection && !what.sqlstate.empty() && !what.sqlstate.starts_with("08");
}

std::optional<refusal::reason> refusal_reason(std::string_view sqlstate) noexcept {
    for (auto const &[code, why] : refusals)
        if (code == sqlstate)
            return why;
    return {};
}

std::optional<refusal> as_refusal(error const &e) {
    if (auto why = refusal_reason(e.sqlstate()))
        return refusal{*why, e.what(), e.detail(), e.hint()};
    return {};
}

bool may_pass(error const &e) noexcept {
    return e.transient() || (e.from() == error::source::connection && !e.lasting() && !e.sqlstate().starts_with("25"));
}

bool cut_short(error const &e) noexcept { return e.sqlstate() == "57014" || e.sqlstate() == "25P04"; }

void misuse(std::string message, std::string sqlstate, std::string hint) {
    throw error({.from = error::source::caller,
                 .message = std::move(message),
                 .sqlstate = std::move(sqlstate),
                 .hint = std::move(hint)});
}

} // namespace internal

error::error(details what) : std::runtime_error(what.message), details_(std::move(what)) {}
error::~error() = default;

bool error::transient() const noexcept {
    std::string_view const s = details_.sqlstate;
    // 25P02: the connection was lost, and a transaction with it.
    if (details_.from == source::deadline || (details_.from == source::connection && (s.empty() || s == "25P02")))
        return true;
    return s == "40001" || s == "40P01" || s == "55P03" || s == "57014" || s.starts_with("53") || s.starts_with("08") ||
           s.starts_with("57P");
}

bool error::lasting() const noexcept {
    // Feature not supported, data, authorization, catalogue and schema name, syntax or access rule.
    constexpr std::array<std::string_view, 6> classes{"0A", "22", "28", "3D", "3F", "42"};
    bool const said = details_.from == source::server || details_.from == source::connection;
    std::string_view const s = details_.sqlstate;
    return said && std::any_of(classes.begin(), classes.end(), [s](auto each) { return s.starts_with(each); });
}

std::string_view refusal::sqlstate() const noexcept {
    for (auto const &[code, each] : internal::refusals)
        if (each == why)
            return code;
    return {};
}

void refusal::raise() const {
    throw weir::error({.message = message, .sqlstate = std::string(sqlstate()), .detail = detail, .hint = hint});
}

} // namespace weir::inline v0
