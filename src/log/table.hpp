// SPDX-License-Identifier: PostgreSQL
//
// The tables that logs live in. A log table begins with the columns
// (key bigint, id weir.position, count bigint), all NOT NULL (range.hpp on the
// third), its primary key is a btree on the first two, and further fixed-width NOT NULL
// columns may follow: the prefix that a writer reads from its predecessor and fills
// in under the lock. Rows are inserted and deleted, never updated; there are no
// triggers, checks or foreign keys, since the log does not run them.
//
// A source is a table's name with what a backend remembers of it; all that is
// remembered is dropped by the relation cache's invalidations, so that DROP and
// CREATE EXTENSION, REINDEX and the like need no care elsewhere.
#pragma once

#include "pg/pg.hpp"

namespace weir::log {

struct source {
    const char *name; // in the schema weir
    Oid heap = InvalidOid;
    Oid index = InvalidOid;     // of the primary key
    bool single_index = false;  // the primary key is the only index
    bool detailed = false;      // info and seek are those of the index
    IndexInfo info = {};        // of the primary key
    BTScanInsertData seek = {}; // template of the key that finds the newest entry
    source *next = nullptr;     // all that are in use
};

// A source opened for one call.
struct table {
    source *from;
    Relation heap;
    Relation index;
};

table open(source &from, LOCKMODE mode);

// Keeps the locks until the transaction ends, as heap writers must.
void close(table &t);

// The Oid of a relation in the schema weir, remembered like a source.
Oid relation_oid(source &named);

// Opens it. Where it was dropped since it was remembered, the one that is there now; 42P01 where none is.
Relation open_relation(source &named, LOCKMODE mode);

// Its Oid, and its lock until the transaction ends: what is given an Oid alone, such as a sequence's functions, then
// finds it there.
Oid locked_oid(source &named, LOCKMODE mode);

// Whether the extension, and with it the relation, is there at all.
bool exists(source &named);

// Runs at an invalidation of any source; for caches that hang on them.
void on_invalidate(void (*forget)());

// Of a column that is a bigint or a position, and not NULL.
inline int64 integer_of(HeapTuple row, int column, Relation table) {
    bool null = false;
    return DatumGetInt64(heap_getattr(row, column, RelationGetDescr(table), &null));
}

inline constexpr int key_attribute = 1;
inline constexpr int id_attribute = 2;

} // namespace weir::log
