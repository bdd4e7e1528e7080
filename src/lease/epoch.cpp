// SPDX-License-Identifier: PostgreSQL
//
// weir.lease_floor holds (epoch << 20) | timeline. A sequence, as what it says has
// to be known to everybody before the rows are gone, and has to stay.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "lease/epoch.hpp"
#include "log/table.hpp"
#include "pg/lock.hpp"
#include "pg/owner.hpp"
#include "pg/sequence.hpp"

namespace weir::lease {

namespace {

constinit log::source floor_sequence{"lease_floor"};

int64 timeline() { return static_cast<int64>(GetWALInsertionTimeLine()) & core::max_seq; }

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
    if (core::seq_of(packed) != timeline()) {
        int64 known = greatest_epoch();
        floor = core::next_epoch(known > floor ? known : floor, false);
    }
    pg::write_sequence(sequence, core::make(to > floor ? to : floor, timeline()));
    pg::unlock(pg::lock_class::lease_floor, 0);
}

int64 floor_now() {
    Oid sequence = log::relation_oid(floor_sequence);
    pg::owner_scope owner = pg::become_owner(sequence);
    int64 packed = pg::read_sequence(sequence);
    if (core::seq_of(packed) != timeline()) {
        raise_floor(sequence, 0);
        packed = pg::read_sequence(sequence);
    }
    pg::become_caller(owner);
    return core::ms_of(packed);
}

} // namespace

void next_epoch(row &r) {
    int64 epoch = r.there ? core::next_epoch(r.integer(column::epoch), r.integer(column::timeline) == timeline())
                          : core::next_epoch(floor_now(), true);
    r.set(column::epoch, Int64GetDatum(epoch));
    r.set(column::timeline, Int64GetDatum(timeline()));
}

void remember_epoch(int64 epoch) {
    Oid sequence = log::relation_oid(floor_sequence);
    pg::owner_scope owner = pg::become_owner(sequence);
    raise_floor(sequence, epoch);
    pg::become_caller(owner);
}

} // namespace weir::lease
