// SPDX-License-Identifier: PostgreSQL
//
// weir.lease_floor holds (epoch << 20) | line. A sequence, as what it says has
// to be known to everybody before the rows are gone, and has to stay.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "lease/epoch.hpp"
#include "log/clock.hpp"
#include "log/life.hpp"
#include "log/table.hpp"
#include "pg/lock.hpp"
#include "pg/owner.hpp"
#include "pg/sequence.hpp"

namespace weir::lease {

namespace {

constinit log::source floor_sequence{"lease_floor"};

// Of the database's history (log/life.hpp).
int64 line() { return log::life::current().line & core::max_seq; }

int64 next_in(int64 last, int64 line_of_last) {
    int64 now_ms = log::clock::now_us() / 1000;
    return core::next_epoch(last, line_of_last == line(), now_ms < core::max_ms ? now_ms : -1);
}

// Nothing was ever given out before the first life; a floor never written is its own.
bool is_first(int64 packed) { return packed == 0 && log::life::current().why == log::life::cause::first; }

int64 greatest_epoch() {
    int64 greatest = 0;
    Relation leases = open_table();
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    SysScanDesc scan = systable_beginscan(leases, InvalidOid, false, latest, 0, nullptr);
    while (HeapTuple tuple = systable_getnext(scan)) {
        bool null = false;
        int64 epoch = DatumGetInt64(heap_getattr(tuple, column::epoch, RelationGetDescr(leases), &null));
        greatest = epoch > greatest ? epoch : greatest;
    }
    systable_endscan(scan);
    UnregisterSnapshot(latest);
    close_table(leases);
    return greatest;
}

void raise_floor(Oid sequence, int64 to) {
    pg::lock(pg::lock_class::lease_floor, 0);
    int64 packed = pg::read_sequence(sequence);
    int64 floor = core::ms_of(packed);
    if (core::seq_of(packed) != line() && !is_first(packed)) {
        int64 known = greatest_epoch();
        floor = next_in(known > floor ? known : floor, core::seq_of(packed));
    }
    pg::write_sequence(sequence, core::make(to > floor ? to : floor, line()));
    pg::unlock(pg::lock_class::lease_floor, 0);
}

int64 floor_now() {
    Oid sequence = log::relation_oid(floor_sequence);
    pg::owner_scope owner = pg::become_owner(sequence);
    int64 packed = pg::read_sequence(sequence);
    if (core::seq_of(packed) != line()) {
        raise_floor(sequence, 0);
        packed = pg::read_sequence(sequence);
    }
    pg::become_caller(owner);
    return core::ms_of(packed);
}

} // namespace

void next_epoch(row &r) {
    int64 epoch = r.there ? next_in(r.integer(column::epoch), r.integer(column::line)) : floor_now() + 1;
    r.set(column::epoch, Int64GetDatum(epoch));
    r.set(column::line, Int64GetDatum(line()));
}

void remember_epoch(int64 epoch) {
    Oid sequence = log::relation_oid(floor_sequence);
    pg::owner_scope owner = pg::become_owner(sequence);
    raise_floor(sequence, epoch);
    pg::become_caller(owner);
}

} // namespace weir::lease
