// SPDX-License-Identifier: PostgreSQL
//
// Columns of a row as members of a JSON object, each as to_jsonb() gives it, but the same
// whoever writes: times in UTC, floating point with all its digits, bytes in hexadecimal. The
// common scalar types are done here; what is left goes through to_jsonb() itself,
// which runs output functions and casts of the types, as the user whose change it is, under
// settings that the caller has fixed (pg/fixed_settings.hpp) as far as a column says that it needs them.
#pragma once

#include "pg/pg.hpp"

#include "pg/fixed_settings.hpp"
#include "pg/json.hpp"

namespace weir::outbox {

struct column {
    AttrNumber number;
    std::string_view name;
    Oid base_type; // under a domain
    int16 length;  // of the type, for comparing
    bool by_value;
    bool scalar; // one of those done here
    pg::text_depends_on needs;
    FmgrInfo convert; // else
};

// Memory of the caller's choice: converter and name live in the current context.
void prepare(column &c, Relation table, AttrNumber number);

// The member of the object that is being written, out of a row.
void add(pg::json_writer &into, column &c, TupleTableSlot *row);

// Whether two versions of a row hold the same value, bit by bit, wherever it is stored.
bool is_same(column const &c, TupleTableSlot *a, TupleTableSlot *b);

// Whole numbers of columns[] as an object: {"id": 1, …}.
void add_object(pg::json_writer &into, std::string_view key, column *columns, int count, TupleTableSlot *row);

} // namespace weir::outbox
