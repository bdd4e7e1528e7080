// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "log/table.hpp"
#include "pg/invalidation.hpp"
#include "pg/lock.hpp"
#include "pg/owner.hpp"
#include "pg/sequence.hpp"

namespace weir::log::clock {

namespace {

constinit source clock_sequence{"clock"};
constinit source incarnation_sequence{"incarnation"};

// weir.clock holds (ms << 20) | timeline. weir.incarnation holds the floor's
// milliseconds likewise, with a bit that says that it is set and one that says
// that the loss was a crash of this server, not a change of servers.
constexpr int64 is_set = 2;
constexpr int64 was_crash = 1;
constexpr int64 ahead_ms = 1000;

int64 covered_ms = -1;
int64 floor_position = -1;

void forget() { covered_ms = -1; }

int64 timeline() { return static_cast<int64>(GetWALInsertionTimeLine()) & core::max_seq; }

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

int64 lost_below() {
    Oid clock = relation_oid(clock_sequence);
    Oid incarnation = relation_oid(incarnation_sequence);
    pg::owner_scope owner = pg::become_owner(clock);
    int64 bound = pg::read_sequence(clock);
    int64 life = pg::read_sequence(incarnation);
    pg::become_caller(owner);
    if (life == 0) // nothing was minted since: the bound would be the floor
        return core::seq_of(bound) == timeline() ? bound | core::max_seq : -1;
    return core::seq_of(life) & was_crash ? life | core::max_seq : -1;
}

void cover(int64 ms) {
    if (ms > core::max_ms)
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("the clock of the server is beyond the last position")));
    on_invalidate(forget);
    uint64 before = pg::invalidations();
    Oid clock = relation_oid(clock_sequence);
    Oid incarnation = relation_oid(incarnation_sequence);
    pg::owner_scope owner = pg::become_owner(clock);
    pg::lock(pg::lock_class::clock, 0);

    int64 bound = pg::read_sequence(clock);
    int64 bound_ms = core::ms_of(bound);
    int64 line = timeline();
    int64 life = pg::read_sequence(incarnation);
    if (life == 0) {
        life = core::make(bound_ms, is_set | (bound == 0 || core::seq_of(bound) == line ? was_crash : 0));
        pg::write_sequence(incarnation, life);
    }
    if (ms > bound_ms || core::seq_of(bound) != line) {
        bound_ms = (ms > bound_ms ? ms : bound_ms) + ahead_ms;
        if (bound_ms > core::max_ms)
            bound_ms = core::max_ms - (ms < core::max_ms);
        XLogRecPtr before_us = XactLastRecEnd;
        pg::write_sequence(clock, core::make(bound_ms, line));
        XLogFlush(XactLastRecEnd);
        XactLastRecEnd = before_us; // it is on disk, and a best-effort append is not to wait for a standby to have it
    }

    pg::unlock(pg::lock_class::clock, 0);
    pg::become_caller(owner);

    int64 floor_ms = core::ms_of(life);
    floor_position = floor_ms == 0 ? -1 : core::make(floor_ms, core::max_seq);
    if (pg::invalidations() == before)
        covered_ms = bound_ms;
}

} // namespace weir::log::clock
