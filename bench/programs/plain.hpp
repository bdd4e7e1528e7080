// SPDX-License-Identifier: PostgreSQL
//
// For programs on libpq alone, so that nothing of the client library is in their
// figures. They connect by libpq's environment, and end at the first error.
#pragma once

#include <libpq-fe.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace plain {

using steady = std::chrono::steady_clock;

// Other threads may still be at it, so nothing is tidied up.
[[noreturn]] inline void die(std::string const &what) {
    std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, what.c_str());
    std::_Exit(1);
}

struct finish {
    void operator()(PGconn *c) const { PQfinish(c); }
    void operator()(PGresult *r) const { PQclear(r); }
};
using connection = std::unique_ptr<PGconn, finish>;
using result = std::unique_ptr<PGresult, finish>;

inline connection connect() {
    connection c(PQconnectdb(""));
    if (PQstatus(c.get()) != CONNECTION_OK)
        die(PQerrorMessage(c.get()));
    return c;
}

inline result checked(connection const &c, PGresult *r) {
    result held(r);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK &&
        PQresultStatus(r) != PGRES_PIPELINE_SYNC)
        die(PQerrorMessage(c.get()));
    return held;
}

inline result run(connection const &c, std::string const &sql) { return checked(c, PQexec(c.get(), sql.c_str())); }

} // namespace plain
