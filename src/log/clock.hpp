// SPDX-License-Identifier: PostgreSQL
//
// The durable bound that keeps a position from being given out twice when memory
// of it is lost: best-effort frames that a crash took, a clock that was set back
// over a crash, a standby promoted with a clock behind.
//
// weir.clock (logged) always lies at or above every millisecond assigned, moved
// about once a second, a second ahead, and flushed before it is relied on. A new life of
// the database (life.hpp) takes it as its floor.
#pragma once

#include "pg/pg.hpp"

namespace weir::log::clock {

inline int64 to_unix_us(TimestampTz t) {
    return t + static_cast<int64>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

inline TimestampTz to_timestamptz(int64 position) {
    return (position >> 20) * 1000 - static_cast<int64>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

// The first millisecond at or after a time, within what a position can hold.
int64 first_ms_from(TimestampTz t);

inline int64 now_us() { return to_unix_us(GetCurrentTimestamp()); }

// Whether this backend knows ms to be under the bound.
bool covers(int64 ms);

// Moves the bound over ms; covers() tells whether that is still so. Not under a log's
// lock: it waits and writes WAL.
void cover(int64 ms);

// Nothing is minted at or below it. Valid once covers() was true.
int64 floor();

} // namespace weir::log::clock
