// SPDX-License-Identifier: PostgreSQL
//
// The few lines of libpq that the checker needs: one connection a thread, results
// that free themselves, and a three-way outcome. `lost` means that the connection
// broke under the statement: whether it took effect is not known here.
//
// Positions travel as bigint (`id::bigint`), so the checker does not depend on the
// text form that it is not testing.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace checker {

using parameters = std::vector<std::optional<std::string>>;

class result {
public:
    enum class outcome { ok, error, lost };

    result(PGresult *r, const PGconn *conn) : held(r, PQclear) {
        ExecStatusType status = PQresultStatus(r);
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
            return;
        const char *code = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : nullptr;
        state = code ? code : "";
        const char *primary = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
        text = primary ? primary : PQerrorMessage(conn);
        // 57P0x: the server is going down under us; the connection breaks next.
        // No SQLSTATE: the answer is libpq's own, as it could not send or receive.
        bool gone = state.empty() || state.starts_with("57P") || state.starts_with("08");
        is = gone ? outcome::lost : outcome::error;
    }

    bool ok() const { return is == outcome::ok; }
    // COMMIT of a transaction that failed is answered with ROLLBACK, and no error.
    bool committed() const { return ok() && std::string(PQcmdStatus(held.get())) != "ROLLBACK"; }
    bool lost() const { return is == outcome::lost; }
    const std::string &sqlstate() const { return state; }
    const std::string &message() const { return text; }
    int rows() const { return PQntuples(held.get()); }
    const char *value(int row, int column) const {
        return PQgetisnull(held.get(), row, column) ? nullptr : PQgetvalue(held.get(), row, column);
    }
    std::int64_t integer(int row, int column) const {
        const char *v = value(row, column);
        return v ? std::strtoll(v, nullptr, 10) : 0;
    }

private:
    std::unique_ptr<PGresult, void (*)(PGresult *)> held;
    outcome is = outcome::ok;
    std::string state, text;
};

class connection {
public:
    // The statement that sets it. Written once, before there are threads.
    inline static std::string timeout;

    explicit connection(std::string conninfo) : where(std::move(conninfo)) {}

    // One try. False where the server is not there (yet).
    bool connect() {
        held.reset(PQconnectdb((where + " connect_timeout=5 application_name=weir-checker").c_str()));
        if (PQstatus(held.get()) != CONNECTION_OK) {
            why = PQerrorMessage(held.get());
            held.reset();
            return false;
        }
        broken = false;
        PQsetNoticeProcessor(held.get(), [](void *, const char *) {}, nullptr);
        // A hang is a finding, not a reason to hang.
        return execute(timeout).ok();
    }

    bool connected() const { return held && !broken && PQstatus(held.get()) == CONNECTION_OK; }
    void drop() { held.reset(); }
    const std::string &error() const { return why; }
    PGconn *raw() { return held.get(); }

    result execute(const std::string &sql, const parameters &values = {}) {
        std::vector<const char *> raw;
        for (const auto &v : values)
            raw.push_back(v ? v->c_str() : nullptr);
        result r(PQexecParams(held.get(), sql.c_str(), static_cast<int>(raw.size()), nullptr, raw.data(), nullptr,
                              nullptr, 0),
                 held.get());
        broken = broken || r.lost();
        return r;
    }

private:
    std::string where, why;
    bool broken = false;
    std::unique_ptr<PGconn, void (*)(PGconn *)> held{nullptr, PQfinish};
};

// A text array literal; elements are quoted, so that any text survives.
inline std::string array_literal(const std::vector<std::string> &elements) {
    std::string out = "{";
    for (const auto &element : elements) {
        if (out.size() > 1)
            out += ',';
        out += '"';
        for (char c : element) {
            if (c == '"' || c == '\\')
                out += '\\';
            out += c;
        }
        out += '"';
    }
    return out + "}";
}

} // namespace checker
