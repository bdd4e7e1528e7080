// SPDX-License-Identifier: PostgreSQL
//
// What backends and workers share: a slot for each database that has a worker, had
// one or wants one. All of it is read and written under one LWLock.
#pragma once

#include "pg/pg.hpp"

namespace weir::worker {

enum class phase : int32 { none, starting, running };

struct slot {
    Oid database; // InvalidOid: free
    enum phase phase;
    pid_t pid;              // running: of the worker
    Latch *latch;           // running: of the worker
    TimestampTz changed_at; // of phase; a start that leads to nothing is tried again later
    int64 dead_rows;        // since the last vacuum
    int64 vacuum_at;        // so many are worth one
};

inline constexpr int slot_count = 64;

struct shared_state {
    LWLockPadded lock;
    int tranche;
    slot slots[slot_count];
};
static_assert(std::is_trivially_copyable_v<shared_state>);

shared_state &shared();

// Under the lock. The slot of a database; nullptr where there is none (and none is free).
slot *find_slot(Oid database);
slot *find_or_take_slot(Oid database);

} // namespace weir::worker
