// SPDX-License-Identifier: PostgreSQL
//
// The table of leases: one row a name, read as of now whatever the caller's
// isolation level says, since a lease is a lock and not data.
//
// What is under way with a lease is said by a lock on its name, taken before the row
// is looked at and held until commit. Those who work under the lease go on side by
// side, and beside one renewal; who issues or ends it waits for all of them, and
// they for it. A sweep tries for the lock, has it while it writes the row, and
// lets go; so of the row itself only a sweep's transaction is ever waited for.
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
    line,
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

enum class purpose { work, renew, end }; // end: or issue
void lock(std::string_view name, purpose what);

// To end it, for a moment: false where anything is under way.
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
