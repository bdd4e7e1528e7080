// SPDX-License-Identifier: PostgreSQL
//
// What backends and workers share: a slot for each database that has workers, had
// some or wants one. Written under one LWLock, but for what is atomic; a backend
// that only wants to know whether a worker runs looks without it. All times are
// those of the monotonic clock (pg/monotonic.hpp).
#pragma once

#include "pg/pg.hpp"

#include "worker/jobs.hpp"
#include "worker/worker.hpp"

namespace weir::worker {

enum class phase : int32 { none, starting, resting, running };

// One worker of a database.
struct worker_slot {
    enum phase phase;
    pid_t pid;                       // of the worker, once it has claimed the slot
    Latch *latch;                    // running or resting: of the worker
    int64 changed_at;                // of phase
    int64 not_before;                // the next start may come then; resting: it will
    int32 failures;                  // in a row
    bool complained;                 // the log has been told that none can be had
    bool dismissed;                  // a housekeeper: another worker needs the place more
    pg_atomic_uint32 wakeup_pending; // there is work that the worker has not looked at
};

struct database_slot {
    Oid database;   // InvalidOid: free
    Oid tablespace; // its directory is there, as of the last worker; InvalidOid: not known
    worker_slot workers[kind_count];

    // For the housekeeper.
    pg_atomic_uint64 due[max_jobs]; // when a job looks at everything next; 0: never
    uint32 everything;              // a bit a job: requests found no room, look at everything
    uint32 held;                    // likewise, for weir.housekeep() alone
    pg_atomic_uint32 idle_jobs;     // a bit a job: nothing in this database concerns it
    dsm_handle records;             // what jobs did (records.hpp)

    // For the doorbell. A mark found no room: look at every log from this position on.
    pg_atomic_uint64 look_from; // position + 1; 0: nothing was missed
    figures counted;
};

inline constexpr int slot_count = 64;
inline constexpr int64 patience_us = 5 * USECS_PER_SEC; // with a start

// A step that a job was asked for (jobs.hpp).
struct request {
    Oid database; // InvalidOid: free
    int16 job;
    int16 tries; // in vain, in a row
    int32 failures;
    int32 asked; // so many times since it was taken last
    int64 key;
    int64 not_before;
};
inline constexpr int request_count = 256;
inline constexpr int64 held = PG_INT64_MAX; // not_before: for weir.housekeep() alone

// Whether there is a worker in a slot, or reason to expect one: a start may lead to
// nothing, as when the server cannot fork.
bool has_worker(worker_slot const &p, int64 now);

struct shared_state {
    LWLockPadded lock;
    int tranche;
    database_slot slots[slot_count];
    request requests[request_count];
};
static_assert(std::is_trivially_copyable_v<shared_state>);

shared_state &shared();

inline void lock_shared() { LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE); }
inline void unlock_shared() { LWLockRelease(&shared().lock.lock); }

// The slot of a database; nullptr where there is none. Without the lock it may be
// another one's by the time that it is looked at.
database_slot *find_slot(Oid database);

// Under the lock. Also nullptr where none is free.
database_slot *find_or_take_slot(Oid database);

Oid database_of(database_slot const &s);

// The slot of this database, remembered; nullptr where none is free. Takes the lock
// where it has to look.
database_slot *own_slot();

} // namespace weir::worker
