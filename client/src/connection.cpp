// SPDX-License-Identifier: PostgreSQL
#include "weir/connection.hpp"

#include "failure.hpp"
#include "session.hpp"

#include <cstdlib>

namespace weir::inline v0 {

namespace {

PGresult const *result_of(std::shared_ptr<void const> const &held) { return static_cast<PGresult const *>(held.get()); }

connection_options with(std::string conninfo) {
    connection_options options;
    options.conninfo = std::move(conninfo);
    return options;
}

} // namespace

std::size_t rows::size() const noexcept { return static_cast<std::size_t>(PQntuples(result_of(held_))); }

std::size_t rows::columns() const noexcept { return static_cast<std::size_t>(PQnfields(result_of(held_))); }

std::string_view rows::name(std::size_t column) const {
    char const *name = PQfname(result_of(held_), static_cast<int>(column));
    if (name == nullptr)
        internal::misuse("there is no such column");
    return name;
}

std::optional<std::string_view> rows::at(std::size_t row, std::size_t column) const {
    if (row >= size() || column >= columns())
        internal::misuse("there is no such row or column");
    int const r = static_cast<int>(row), c = static_cast<int>(column);
    if (PQgetisnull(result_of(held_), r, c) != 0)
        return {};
    return std::string_view(PQgetvalue(result_of(held_), r, c),
                            static_cast<std::size_t>(PQgetlength(result_of(held_), r, c)));
}

// libpq does not write through these, but takes them as not const.
std::string_view rows::tag() const noexcept { return PQcmdStatus(const_cast<PGresult *>(result_of(held_))); }

std::size_t rows::affected() const noexcept {
    return std::strtoul(PQcmdTuples(const_cast<PGresult *>(result_of(held_))), nullptr, 10);
}

connection::connection(connection_options options, until const &limit)
    : session_(std::make_unique<internal::session>(std::move(options), limit)) {}
connection::connection(std::string conninfo, until const &limit) : connection(with(std::move(conninfo)), limit) {}
connection::~connection() = default;
connection::connection(connection &&) noexcept = default;
connection &connection::operator=(connection &&) noexcept = default;

rows connection::query(std::string_view sql, std::span<std::optional<std::string_view> const> values) {
    return rows(std::shared_ptr<void const>(session_->run_text(sql, values).release(), [](void const *r) {
        PQclear(static_cast<PGresult *>(const_cast<void *>(r)));
    }));
}

rows connection::query(std::string_view sql, std::initializer_list<std::optional<std::string_view>> values) {
    return query(sql, std::span(values.begin(), values.size()));
}

void connection::execute(std::string_view sql) { session_->execute(sql); }
server_facts connection::server() const { return session_->facts(); }
int connection::backend_pid() const noexcept { return session_->backend_pid(); }
bool connection::in_transaction() const noexcept { return session_->in_transaction(); }
void connection::call_timeout(std::chrono::milliseconds time) noexcept { session_->call_timeout(time); }
void connection::reconnect(until const &limit) { session_->reconnect(limit); }
void connection::cancel() noexcept { session_->cancel(); }

} // namespace weir::inline v0
