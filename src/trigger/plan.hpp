// SPDX-License-Identifier: PostgreSQL
//
// Statements of the triggers, planned once in a backend.
//
// A plan is for a text *and* the types of its parameters: under the same text, a column
// may have been of another type when it was planned, and a value of one type must never
// reach a plan that was made for another. What else a plan depends on (tables, columns,
// operators, search_path, the role under row security) is the server's plan cache's to
// watch, which plans anew where any of it has changed. What a statement returns may have
// another type by then: so results are asked for with the type that they are to be of.
//
// The least recently used plan makes room for another, but none that is running: a
// statement may fire a trigger whose statement is this very one.
#pragma once

#include "pg/pg.hpp"

namespace weir::trigger {

struct statement {
    const char *sql;
    int count;
    Oid const *types; // count of them, those of the values
};

// Between SPI_connect() and SPI_finish(). Returns the number of rows, in SPI_tuptable.
uint64 run(statement const &st, Datum const *values, const char *nulls);

// A column, counted from 1, of what run() returned. Raises where it is of another type.
Datum result(SPITupleTable const *rows, uint64 row, int column, Oid type, bool *null);

} // namespace weir::trigger
