// SPDX-License-Identifier: PostgreSQL
//
// The second half of the writer rule: the rows and every index entry of them.
// Called under the log's lock, with tuples made before it was taken.
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
    // What else the insert will touch, opened beforehand: out-of-line storage where a
    // row is large, and indexes beside the primary key.
    Relation toast;
    Relation *toast_indexes;
    int toast_index_count;
    struct other_index *other_indexes;
    int other_index_count;
};

rows prepare(table const &t, HeapTuple *tuples, int count);

// The leading columns of a prepared row.
template <class Prefix> Prefix *prefix_of(HeapTuple tuple) {
    static_assert(std::is_trivially_copyable_v<Prefix>);
    return reinterpret_cast<Prefix *>(reinterpret_cast<char *>(tuple->t_data) + tuple->t_data->t_hoff);
}

void insert(table const &t, rows &r);

// Frees the tuples and lets go of their descriptor.
void release(rows &r);

} // namespace weir::log
