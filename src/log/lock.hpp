// SPDX-License-Identifier: PostgreSQL
//
// The short per-log lock of the writer rule. One of a fixed array of LWLocks in
// shared memory, chosen by the log's key: two logs may share one, which costs
// time and nothing else. It is held from reading the clock to the last index
// entry, never until commit.
//
// Nothing may wait under it: no xid, no unique check, no user code, and no heavyweight
// lock but that for extending a relation. Nor may anything be looked up in a catalogue,
// or a relation be opened: somebody may hold the catalogue's lock and want this one, and
// the server does not detect that as a deadlock, nor can it be cancelled. What would be
// looked up is looked up before (ready.hpp); assertion builds see to it (lock_check.hpp).
// An error under it is fine: the abort releases it, as it does every LWLock.
#pragma once

#include "pg/pg.hpp"

namespace weir::log {

void lock(int64 key);
void unlock(int64 key);

// What is remembered beside the lock, read and written under it, and lost with the
// server: the last position assigned. The index alone does not do, since it
// forgets positions that rolled back, once they are cleaned away; and where the
// memory is exact, a writer need not look into every table of a log.
//
// It is small: of the logs that share a lock the ones used last are remembered
// exactly, others by a bound for as long as that is not ahead of the clock.
struct last_assigned {
    int64 position;      // -1: nothing is known
    bool exact;          // it is at or above every position of this log
    bool control_record; // the log's newest row may be one that decides what may follow
};

last_assigned recall(int64 key, int64 now_ms);
void remember(int64 key, int64 last, bool control_record);

// The greatest position of all logs that is not ahead of the clock. For the first
// of a log: an earlier creation of the same log may have rolled back this very millisecond.
int64 greatest_assigned(int64 now_ms);

// Reserves the shared memory when the library is preloaded; without preloading
// it is taken from the server's slop on first use.
void request_shared_memory();

} // namespace weir::log
