// SPDX-License-Identifier: PostgreSQL
//
// Columns of a row as members of a JSON object, each as to_jsonb() gives it. The
// common scalar types are done here; what is left goes through to_jsonb() itself,
// which runs output functions and casts of the types, as the user whose change it is.
#pragma once

#include "pg/pg.hpp"

namespace weir::outbox {

struct column {
    AttrNumber number;
    char *name;
    int name_length;
    Oid base_type; // under a domain
    int16 length;  // of the type, for comparing
    bool by_value;
    bool scalar;      // one of those done here
    FmgrInfo convert; // else
};

// Memory of the caller's choice: converter and name live in the current context.
void prepare(column &c, Relation table, AttrNumber number);

// The member of the object that is being built, out of a row.
void push(JsonbParseState **state, column &c, TupleTableSlot *row);

// Whether two versions of a row hold the same value, bit by bit, wherever it is stored.
bool is_same(column const &c, TupleTableSlot *a, TupleTableSlot *b);

// Whole numbers of columns[] as an object: {"id": 1, …}.
void push_object(JsonbParseState **state, const char *key, column *columns, int count, TupleTableSlot *row);

void push_key(JsonbParseState **state, const char *key, int length);
void push_string(JsonbParseState **state, const char *key, const char *value);

} // namespace weir::outbox
