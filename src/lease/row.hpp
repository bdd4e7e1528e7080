// SPDX-License-Identifier: PostgreSQL
//
// The table of leases: one row a name, read as of now whatever the caller's
// isolation level says, since a lease is a lock and not data.
//
// Two locks guard a lease, both held until commit. The name's (lock()) is shared by
// whoever works under the lease, renewals too, and exclusive for whoever issues or
// ends it: the one waits for the other. Row updates settle the rest, as between
// two renewals. The name's lock is taken before the row is written, never after. A
// sweep tries for it, has it while it writes the row, and lets go.
//
// An update that touches no column of an index stays on its page if there is room
// (HOT), so renewing writes no index.
#pragma once

#include "pg/pg.hpp"

#include "core/lease.hpp"

namespace weir::lease {

namespace column {
enum {
    name = 1,
    epoch,
    timeline,
    state,
    expires_at,
    ttl_us,
    acquired_at,
    renewed_at,
    ended_at,
    owner,
    previous_owner,
    ended_by,
    reason,
    namespace_,
    headers
};
inline constexpr int count = headers;
} // namespace column

struct row {
    bool there;
    ItemPointerData tid;
    Datum values[column::count]; // in the memory context of whoever read it
    bool nulls[column::count];

    Datum get(int n) const { return values[n - 1]; }
    NullableDatum nullable(int n) const { return {values[n - 1], nulls[n - 1]}; }
    int64 integer(int n) const { return DatumGetInt64(values[n - 1]); }
    void set(int n, Datum value) {
        values[n - 1] = value;
        nulls[n - 1] = false;
    }
    void set(int n, NullableDatum value) {
        values[n - 1] = value.value;
        nulls[n - 1] = value.isnull;
    }
    void clear(int n) { nulls[n - 1] = true; }
};

core::lease to_core(row const &r);

// none: to issue or end it; may wait for every transaction that works under it.
enum class share { with_others, none };
void lock(std::string_view name, share mode);

// For a moment: false where somebody works under the lease, or issues or ends it.
bool try_lock(std::string_view name);
void unlock(std::string_view name);

Relation open_table();
void close_table(Relation leases);

// As of now and of what this transaction did; where it is not there, all but the name NULL.
row find(Relation leases, std::string_view name);
row to_row(Relation leases, HeapTuple tuple);

// Waits for another transaction that is writing the row. False: it was written
// meanwhile, look afresh.
bool update(Relation leases, row &r);
void insert(Relation leases, row &r); // under the name's exclusive lock
void remove_if_unchanged(Relation leases, ItemPointer tid);

} // namespace weir::lease
