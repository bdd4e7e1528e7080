// SPDX-License-Identifier: PostgreSQL
//
// The second half of the writer rule: the rows and every index entry of them, with
// tuples made before the log's lock was taken. What takes long is not inserted under
// the lock; its guard is (range.hpp).
#pragma once

#include "pg/pg.hpp"

#include "log/table.hpp"

namespace weir::log {

// Tuples of one append, formed before the lock. What the lock decides (id and
// the running columns) is written into them in place.
struct rows {
    HeapTuple *tuples;
    TupleTableSlot **slots; // for more than one
    int count;
    HeapTuple guard; // nullptr: they go in under the lock
    // What else the insert will touch, opened beforehand: out-of-line storage where a
    // row under the lock is large, and indexes beside the primary key.
    Relation toast;
    Relation *toast_indexes;
    int toast_index_count;
    struct other_index *other_indexes;
    int other_index_count;
};

// A large value for a column, compressed before the lock, not under it.
Datum compressed(Relation heap, int column, Datum value);

// More than fits into some tens of microseconds, or a value that goes out of line, which
// opens tables.
bool takes_long(HeapTuple const *tuples, int count);

// guard: a row as of the log's own, for no reader; nullptr where nothing takes long.
rows prepare(table const &t, HeapTuple *tuples, int count, HeapTuple guard);

// How many positions they take; the guard's is the last.
inline int positions(rows const &r) { return r.count + (r.guard != nullptr); }

// The leading columns of a prepared row.
template <class Prefix> Prefix *prefix_of(HeapTuple tuple) {
    static_assert(std::is_trivially_copyable_v<Prefix>);
    return reinterpret_cast<Prefix *>(reinterpret_cast<char *>(tuple->t_data) + tuple->t_data->t_hoff);
}

// Right before the lock: looks up what would be looked up under it.
void make_ready(rows const &r);

// Under the lock.
void insert(table const &t, rows &r);

// After it: the rows that a guard stands for.
void insert_guarded(table const &t, rows &r);

// Frees the tuples and lets go of their descriptor.
void release(rows &r);

} // namespace weir::log
