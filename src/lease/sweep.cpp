// SPDX-License-Identifier: PostgreSQL
//
// The sweep: writes down, with an event each, which leases have expired, and forgets
// those that nobody has held for weir.lease_retention. Neither changes what a lease
// is worth, so a sweep may run never or often. One runs at a time; another one
// finds nothing to do.
//
// It waits for nobody. A lapsed lease that somebody still works under is left for
// later: its event shall not come before that work. Nobody can begin to, as
// the clock of leases does not go back; so a name's lock is not kept, and
// the number of leases is not bounded by the room for locks.
//
// Where more is left of a lease than was granted (lease/clock.hpp), it is cut.
#include "pg/pg.hpp"

#include "lease/clock.hpp"
#include "lease/epoch.hpp"
#include "lease/history.hpp"
#include "lease/sweep.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/lock.hpp"
#include "pg/memory.hpp"
#include "pg/settings.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"
#include "worker/jobs.hpp"

namespace core = weir::core;
namespace lease = weir::lease;
namespace pg = weir::pg;
namespace column = lease::column;
using lease::event;
using lease::row;

namespace {

constexpr int greatest_sweep = 100000;
constexpr int a_step = 1000;                         // leases, of the housekeeper's sweep
constexpr int64 worked_under_us = 1 * USECS_PER_SEC; // after which a lapsed lease is looked at again
int job;

struct sweep {
    Relation leases;
    TimestampTz now;
    TimestampTz forget_before; // on the server's clock
    MemoryContext memory;
    int limit;
    int expired;
    std::size_t bytes;          // of the events
    ItemPointerData *to_forget; // with room for limit
    int forgotten;
    int64 greatest_forgotten; // epoch
    TimestampTz next;         // when the next one expires, on the clock of leases; 0: none does
};

void will_expire(sweep &s, TimestampTz at) { s.next = s.next == 0 || at < s.next ? at : s.next; }

// With the name's lock, nobody else can be writing the row.
bool write(sweep &s, row &r) {
    std::string_view name = pg::view_of(r.get(column::name));
    if (!lease::try_lock(name)) {
        will_expire(s, s.now + worked_under_us);
        return false;
    }
    bool written = lease::update(s.leases, r);
    lease::unlock(name);
    return written;
}

// As many leases as were asked for, or as a transaction may emit events; the next sweep
// goes on.
bool is_full(sweep const &s) {
    return s.expired == s.limit || s.bytes > static_cast<std::size_t>(pg::settings::max_emit_bytes) / 2;
}

void expire(sweep &s, row &r) {
    if (is_full(s))
        return;
    r.set(column::state, CharGetDatum(static_cast<char>(core::lease_state::expired)));
    r.set(column::ended_at, TimestampTzGetDatum(GetCurrentTimestamp()));
    if (!write(s, r))
        return;
    event e = lease::event_of(lease::happening::expired, r, {Datum{0}, true});
    lease::write(e);
    s.expired++;
    s.bytes += VARSIZE_ANY(DatumGetPointer(e.payload)) + VARSIZE_ANY(DatumGetPointer(e.headers)) + 256;
}

void cut(sweep &s, row &r) {
    r.set(column::expires_at, TimestampTzGetDatum(s.now + r.integer(column::ttl_us)));
    (void)write(s, r);
}

void forget_later(sweep &s, row const &r) {
    if (s.forgotten == s.limit)
        return;
    s.to_forget[s.forgotten++] = r.tid;
    if (r.integer(column::epoch) > s.greatest_forgotten)
        s.greatest_forgotten = r.integer(column::epoch);
}

void look_at(sweep &s, row &r) {
    core::lease known = lease::to_core(r);
    if (core::has_lapsed(known, s.now))
        expire(s, r);
    else if (core::is_overlong(known, s.now))
        cut(s, r);
    else if (known.state != core::lease_state::held && DatumGetTimestampTz(r.get(column::ended_at)) < s.forget_before)
        forget_later(s, r);
    else if (known.state == core::lease_state::held)
        will_expire(s, r.integer(column::expires_at));
}

// Through the whole table: an index on when they expire would have to be written
// with every renewal.
void run(sweep &s) {
    Snapshot latest = pg::take_snapshot();
    SysScanDesc scan = systable_beginscan(s.leases, InvalidOid, false, latest, 0, nullptr);
    MemoryContext of_a_row = AllocSetContextCreate(s.memory, "weir lease", ALLOCSET_DEFAULT_SIZES);
    while (HeapTuple tuple = systable_getnext(scan)) {
        CHECK_FOR_INTERRUPTS();
        if (is_full(s) && s.forgotten == s.limit)
            break;
        MemoryContextSwitchTo(of_a_row);
        row r = lease::to_row(s.leases, tuple);
        look_at(s, r);
        MemoryContextSwitchTo(s.memory);
        MemoryContextReset(of_a_row);
    }
    systable_endscan(scan);
    UnregisterSnapshot(latest);
    if (s.forgotten > 0) {
        lease::remember_epoch(s.greatest_forgotten);
        for (int i = 0; i < s.forgotten; i++)
            lease::remove_if_unchanged(s.leases, &s.to_forget[i]);
    }
}

// False: somebody else is at it.
bool sweep_leases(sweep &s, int limit) {
    if (!pg::try_lock(pg::lock_class::lease_sweep, 0))
        return false;
    s.leases = lease::open_table();
    s.now = lease::now();
    s.forget_before = GetCurrentTimestamp() - static_cast<int64>(pg::settings::lease_retention) * USECS_PER_SEC;
    s.memory = CurrentMemoryContext;
    s.limit = limit;
    s.to_forget = pg::palloc_array_of<ItemPointerData>(static_cast<std::size_t>(limit));
    run(s);
    lease::close_table(s.leases);
    return true;
}

weir::worker::outcome sweep_step(int64) {
    using weir::worker::outcome;
    sweep s{};
    if (!sweep_leases(s, a_step))
        return {outcome::what::not_now};
    if (is_full(s))
        return {outcome::what::more};
    if (s.next == 0)
        return {};
    int64 left_us = s.next - s.now;
    return {outcome::what::done, left_us > worked_under_us ? left_us : worked_under_us};
}

} // namespace

namespace weir::lease {

void register_sweep() { job = worker::register_job({.name = "leases", .step = sweep_step, .at_first = true}); }

void ask_to_sweep(int64 ttl_us) { worker::ask_for_everything_within(job, ttl_us); }

} // namespace weir::lease

WEIR_FUNCTION(weir_lease_sweep) {
    pg::require_writable("weir.lease_sweep()");
    if (PG_ARGISNULL(0))
        pg::null_argument("max");
    int limit = PG_GETARG_INT32(0);
    if (limit < 1 || limit > greatest_sweep)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max is out of range"),
                        errdetail("It must be from 1 to %d.", greatest_sweep)));
    sweep s{};
    PG_RETURN_INT32(sweep_leases(s, limit) ? s.expired : 0);
}
