// SPDX-License-Identifier: PostgreSQL
//
// What backends and workers share: a slot for each database that has workers, had
// some or wants one. Written under one LWLock, but for what is atomic; a backend
// that only wants to know whether a worker runs looks without it.
#pragma once

#include "pg/pg.hpp"

#include "worker/worker.hpp"

namespace weir::worker {

enum class phase : int32 { none, starting, running };

// One worker of a database.
struct post {
    enum phase phase;
    pid_t pid;              // of the worker, once it has claimed the post
    Latch *latch;           // running: of the worker
    TimestampTz changed_at; // of phase
    TimestampTz not_before; // the next round, or start, may come then
    int32 failures;         // in a row
    bool complained;        // the log has been told that none can be had
    pg_atomic_uint32 rung;  // there is work that the worker has not looked at
};

struct slot {
    Oid database; // InvalidOid: free
    post posts[kind_count];

    // For the vacuum.
    int64 dead_rows;               // since the last one
    int64 vacuum_at;               // so many are worth one
    TimestampTz vacuum_not_before; // the last one was in vain

    // For the doorbell. A mark found no room: look at every log from this position on.
    pg_atomic_uint64 look_from; // position + 1; 0: nothing was missed
    figures counted;
};

inline constexpr int slot_count = 64;
inline constexpr int64 patience_us = 5 * USECS_PER_SEC; // with a start

// Whether there is a worker at a post, or reason to expect one: a start may lead to
// nothing, as when the server cannot fork.
bool is_manned(post const &p, TimestampTz now);

struct shared_state {
    LWLockPadded lock;
    int tranche;
    slot slots[slot_count];
};
static_assert(std::is_trivially_copyable_v<shared_state>);

shared_state &shared();

// The slot of a database; nullptr where there is none. Without the lock it may be
// another one's by the time that it is looked at.
slot *find_slot(Oid database);

// Under the lock. Also nullptr where none is free.
slot *find_or_take_slot(Oid database);

Oid database_of(slot const &s);

// The slot of this database, remembered; nullptr where none is free. Takes the lock
// where it has to look.
slot *own_slot();

} // namespace weir::worker
