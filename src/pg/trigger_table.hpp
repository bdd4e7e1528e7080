// SPDX-License-Identifier: PostgreSQL
//
// Statements on the tables of whoever uses a trigger. They run as the user who fires
// it, with that user's privileges and search_path; so every name in them is quoted and
// qualified, found by Oid and not by what the path makes of it.
#pragma once

#include "pg/pg.hpp"

#include "pg/trigger.hpp"

namespace weir::pg::trigger {

// The table that a trigger was made on: for a partition that has it from its parent, the topmost
// that it still belongs to. Only the trigger's own table is locked.
Oid named_table(TriggerData *data);

// A table's name in an argument: as given, or in the schema of the trigger's table. It is
// locked as a writer does, so that it stays as it is until the transaction ends.
Oid table_argument(TriggerData *data, const char *name);

// "schema"."name"; of a table that is locked.
char *quoted_table(Oid table);

// Appends: "column" OPERATOR("schema".=) $n
void append_equality(StringInfo sql, const char *column, Oid type, int parameter);

// Ends an SPI_* call's error as it should.
void check_spi(int code, const char *what);

// A number that stands for a table and the values of key columns in a row: equal
// values, in the sense of their type, give equal numbers.
int64 hash_of_key(Oid table, Relation row_of, column_list const &key, HeapTuple row);

} // namespace weir::pg::trigger
