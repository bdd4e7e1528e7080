// SPDX-License-Identifier: PostgreSQL
//
// Statements on the tables of whoever uses a trigger. They run as the user who fires
// it, with that user's privileges and search_path; so every name in them is quoted and
// qualified, found by Oid and not by what the path makes of it.
#pragma once

#include "pg/pg.hpp"

#include "trigger/arguments.hpp"

namespace weir::trigger {

// The table that a trigger was made on: for a partition that has it from its parent, the topmost.
Oid named_table(TriggerData *data);

// A table's name in an argument: as given, or in the schema of the trigger's table.
Oid table_argument(TriggerData *data, const char *name);

// "schema"."name"
char *quoted_table(Oid table);

// Appends: "column" OPERATOR("schema".=) $n
void append_equality(StringInfo sql, const char *column, Oid type, int parameter);

// Runs a statement, planned once in a backend and kept by its text, between SPI_connect() and
// SPI_finish(). Returns the number of rows.
uint64 run(const char *sql, int count, Oid *types, Datum *values, const char *nulls);

// Ends an SPI_* call's error as it should.
void check_spi(int code, const char *what);

// A number that stands for a table and the values of key columns in a row: equal
// values, in the sense of their type, give equal numbers.
int64 hash_of_key(Oid table, Relation row_of, column_list const &key, HeapTuple row);

} // namespace weir::trigger
