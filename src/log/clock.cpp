// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "log/life.hpp"
#include "log/table.hpp"
#include "pg/invalidation.hpp"
#include "pg/lock.hpp"
#include "pg/owner.hpp"
#include "pg/sequence.hpp"

namespace weir::log::clock {

namespace {

constinit source clock_sequence{"clock"};

constexpr int64 ahead_ms = 1000;

int64 covered_ms = -1;
int64 floor_position = -1;

void forget() { covered_ms = -1; }

// Those who only look do not wait for each other. But for whoever is moving it: what he wrote is
// not to be relied on before he has flushed it.
int64 read_bound(Oid clock) {
    pg::lock(pg::lock_class::clock, 0, ShareLock);
    int64 bound_ms = core::ms_of(pg::read_sequence(clock));
    pg::unlock(pg::lock_class::clock, 0, ShareLock);
    return bound_ms;
}

int64 move_bound(Oid clock, int64 ms) {
    pg::lock(pg::lock_class::clock, 0);
    int64 packed = pg::read_sequence(clock); // another one may have moved it
    int64 bound_ms = core::ms_of(packed);
    if (ms > bound_ms) {
        bound_ms = ms + ahead_ms;
        if (bound_ms > core::max_ms)
            bound_ms = core::max_ms - (ms < core::max_ms);
        XLogRecPtr before_us = XactLastRecEnd;
        pg::write_sequence(clock, core::make(bound_ms, core::seq_of(packed)));
        XLogFlush(XactLastRecEnd);
        XactLastRecEnd = before_us; // it is on disk, and a best-effort append is not to wait for a standby to have it
    }
    pg::unlock(pg::lock_class::clock, 0);
    return bound_ms;
}

} // namespace

int64 first_ms_from(TimestampTz t) {
    constexpr int64 first_us = -(static_cast<int64>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
    if (t <= first_us) // -infinity too
        return 0;
    if (t / 1000 >= core::max_ms + first_us / 1000)
        return core::max_ms;
    return (to_unix_us(t) + 999) / 1000;
}

bool covers(int64 ms) { return ms <= covered_ms; }

int64 floor() { return floor_position; }

void cover(int64 ms) {
    if (ms > core::max_ms)
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("the clock of the server is beyond the last position")));
    on_invalidate(forget);
    uint64 before = pg::invalidations();
    floor_position = life::current().floor;
    Oid clock = locked_oid(clock_sequence, AccessShareLock);
    pg::owner_scope owner = pg::become_owner(clock);
    int64 bound_ms = read_bound(clock);
    if (ms > bound_ms)
        bound_ms = move_bound(clock, ms);
    pg::become_caller(owner);

    if (pg::invalidations() == before)
        covered_ms = bound_ms;
}

} // namespace weir::log::clock
