// SPDX-License-Identifier: PostgreSQL
//
// Statements that are not worth doing by hand: planned once in a backend and kept,
// run as the owner of weir's tables. The caller's search_path is not to be
// trusted, so every name and every operator in them is qualified.
#pragma once

#include "pg/pg.hpp"

#include "pg/owner.hpp"

namespace weir::pg::spi {

inline constexpr int max_arguments = 12;

struct statement {
    const char *sql;
    int count;
    Oid types[max_arguments];
    SPIPlanPtr plan = nullptr;
};

struct session {
    owner_scope caller;
    MemoryContext memory; // the caller's: what is to outlive the session goes there
};

// relation: any of weir's, whose owner runs the statements.
session begin(Oid relation);
void end(session const &s);

// Both return the number of rows, which lie in SPI_tuptable until end().
uint64 read(statement &st, Datum const *values, bool const *nulls, Snapshot snapshot);

// Reads and writes what is there now, whatever the isolation level: weir's own
// records have to agree with the log, not with the caller's snapshot.
uint64 write(statement &st, Datum const *values, bool const *nulls);

// A column of a result row, counted from 1; by-reference values live until end().
Datum column(uint64 row, int n, bool *null);

} // namespace weir::pg::spi
