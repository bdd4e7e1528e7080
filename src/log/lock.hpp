// SPDX-License-Identifier: PostgreSQL
//
// The short per-log lock of the writer rule. One of a fixed array of LWLocks in
// shared memory, chosen by the log's key: two logs may share one, which costs
// time and nothing else. It is held from reading the clock to the last index
// entry, never until commit.
//
// Nothing may wait under it: no heavyweight lock that somebody can hold until
// their commit, no xid, no unique check, no user code. An error under it is fine:
// the abort releases it, as it does every LWLock.
#pragma once

#include "pg/pg.hpp"

namespace weir::log {

void lock(int64 key);
void unlock(int64 key);

// What was handed out under the lock since the server started: the index forgets
// positions whose transactions rolled back, once they are cleaned away. Both under
// the lock. The memory is small: of logs that share it, the ones used last are
// remembered exactly, the others by a bound for as long as it is not ahead of the clock.
int64 handed_out(int64 key, int64 now_ms); // -1: nothing is remembered
void remember_handed_out(int64 key, int64 last);

// Reserves the shared memory when the library is preloaded; without preloading
// it is taken from the server's slop on first use.
void request_shared_memory();

} // namespace weir::log
