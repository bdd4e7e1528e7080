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
// It is small: of the logs that share a lock the ones used last are remembered exactly, all others by one position
// that they have in common. That one only goes up, also where the clock is set back. A log that lies above it, above
// the clock and above the floor to begin with, since its rows came from elsewhere, is ahead alone, and pulls no other
// log along.
struct last_assigned {
    int64 position;      // exact: of this log, else what all have in common; -1: nothing is known
    int64 common;        // at or above every position under this lock but those of logs that are ahead alone
    bool exact;          // it is at or above every position of this log
    bool control_record; // the log's newest row may be one that decides what may follow
};

last_assigned recall(int64 key);
void remember(int64 key, int64 last, bool ahead_alone, bool control_record);

// What all logs have in common, under whatever lock. For the first position of a log: an earlier creation of the same
// name may have been rolled back in this very millisecond, and had another key.
int64 greatest_assigned();

// Reserves the shared memory when the library is preloaded; without preloading
// it is taken from the server's slop on first use.
void request_shared_memory();

} // namespace weir::log
