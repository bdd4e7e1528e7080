// SPDX-License-Identifier: PostgreSQL
#include "weir/connection.hpp"

#include <libpq-fe.h>

#include <new>

namespace weir {

namespace {

struct result_closer {
    void operator()(PGresult *r) const noexcept { PQclear(r); }
};
using result = std::unique_ptr<PGresult, result_closer>;

// A parameter of a statement: NULL, text, or bytes in binary form.
struct parameter {
    std::optional<std::string> text;
    std::span<std::byte const> bytes;
    bool binary = false;

    parameter(std::string_view value) : text(value) {}
    parameter(std::optional<std::string_view> value) {
        if (value)
            text.emplace(*value);
    }
    parameter(std::span<std::byte const> value) : bytes(value), binary(true) {}
};

std::string trimmed(char const *message) {
    std::string text = message == nullptr ? "" : message;
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

result checked(PGconn *connection, PGresult *raw) {
    result r(raw);
    ExecStatusType status = PQresultStatus(r.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return r;
    char const *sqlstate = PQresultErrorField(r.get(), PG_DIAG_SQLSTATE);
    throw error(trimmed(r ? PQresultErrorMessage(r.get()) : PQerrorMessage(connection)),
                sqlstate == nullptr ? "" : sqlstate);
}

result query(PGconn *connection, char const *sql, std::span<parameter const> parameters) {
    std::vector<char const *> values;
    std::vector<int> lengths, formats;
    for (parameter const &p : parameters) {
        // An empty value is a value: its pointer must not be NULL.
        char const *data = p.bytes.empty() ? "" : reinterpret_cast<char const *>(p.bytes.data());
        values.push_back(p.binary ? data : p.text ? p.text->c_str() : nullptr);
        lengths.push_back(static_cast<int>(p.bytes.size()));
        formats.push_back(p.binary);
    }
    return checked(connection, PQexecParams(connection, sql, static_cast<int>(values.size()), nullptr, values.data(),
                                            lengths.data(), formats.data(), 0));
}

std::string one_value(PGconn *connection, char const *sql, std::span<parameter const> parameters) {
    return PQgetvalue(query(connection, sql, parameters).get(), 0, 0);
}

std::optional<std::string> text_column(PGresult *r, int row, int column) {
    if (PQgetisnull(r, row, column))
        return {};
    return std::string(PQgetvalue(r, row, column), static_cast<std::size_t>(PQgetlength(r, row, column)));
}

std::optional<std::vector<std::byte>> bytes_column(PGresult *r, int row, int column) {
    if (PQgetisnull(r, row, column))
        return {};
    std::size_t size = 0;
    std::unique_ptr<unsigned char, void (*)(void *)> raw(
        PQunescapeBytea(reinterpret_cast<unsigned char const *>(PQgetvalue(r, row, column)), &size), PQfreemem);
    if (!raw)
        throw std::bad_alloc();
    auto const *data = reinterpret_cast<std::byte const *>(raw.get());
    return std::vector<std::byte>(data, data + size);
}

} // namespace

void connection::closer::operator()(pg_conn *c) const noexcept { PQfinish(c); }

connection::connection(std::string const &conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(connection_.get()) != CONNECTION_OK)
        throw error(trimmed(PQerrorMessage(connection_.get())), "");
}

void connection::execute(std::string const &sql) { checked(connection_.get(), PQexec(connection_.get(), sql.c_str())); }

std::string connection::append(std::string_view stream, std::string_view json, append_options const &options) {
    parameter const p[] = {stream, json, options.type, options.headers, options.idempotency_key};
    return one_value(connection_.get(), "SELECT weir.append($1, $2, $3, $4, $5)", p);
}

std::string connection::append_text(std::string_view stream, std::string_view text, append_options const &options) {
    parameter const p[] = {stream, text, options.type, options.headers, options.idempotency_key};
    return one_value(connection_.get(), "SELECT weir.append_text($1, $2, $3, $4, $5)", p);
}

std::string connection::append_bytes(std::string_view stream, std::span<std::byte const> bytes,
                                     append_options const &options) {
    parameter const p[] = {stream, bytes, options.type, options.headers, options.idempotency_key};
    return one_value(connection_.get(), "SELECT weir.append_bytes($1, $2, $3, $4, $5)", p);
}

std::vector<frame> connection::read(std::string_view stream, std::optional<std::string_view> after, int max_frames) {
    std::string const limit = std::to_string(max_frames);
    parameter const p[] = {stream, after, std::string_view(limit)};
    result r =
        query(connection_.get(),
              "SELECT id, mode, type, payload, bytes, headers FROM weir.read($1, after => $2, max_frames => $3)", p);
    std::vector<frame> frames;
    frames.reserve(static_cast<std::size_t>(PQntuples(r.get())));
    for (int i = 0; i < PQntuples(r.get()); i++)
        frames.push_back({*text_column(r.get(), i, 0), *text_column(r.get(), i, 1), text_column(r.get(), i, 2),
                          text_column(r.get(), i, 3), bytes_column(r.get(), i, 4), text_column(r.get(), i, 5)});
    return frames;
}

std::string connection::head(std::string_view stream) {
    parameter const p[] = {stream};
    return one_value(connection_.get(), "SELECT weir.head($1)", p);
}

std::string connection::close(std::string_view stream, std::optional<std::string_view> reason) {
    parameter const p[] = {stream, reason};
    return one_value(connection_.get(), "SELECT weir.close($1, $2)", p);
}

} // namespace weir
