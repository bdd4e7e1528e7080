// SPDX-License-Identifier: PostgreSQL
//
// Rows are fetched with the snapshot first, which is what most of them pass. Only
// one that does not is fetched again whatever its state, to learn why: in flight
// (stop), aborted, or deleted for the snapshot (go on).
//
// The index key is held against the row on every fetch. On the primary the pinned
// leaf keeps a TID from being recycled; on a standby nothing does, and a row that
// moved in there must not be taken for the one that the index meant.
#include "pg/pg.hpp"

#include "log/scan.hpp"

namespace weir::log {

namespace {

enum class reason { in_flight, gone };

// Why a row is not visible to the snapshot. The order of the tests matters: a
// transaction can be marked committed before it leaves the set of running ones.
reason why_invisible(HeapTupleHeader row, Snapshot snapshot) {
    if (HeapTupleHeaderXminFrozen(row))
        return reason::gone;
    TransactionId xmin = HeapTupleHeaderGetRawXmin(row);
    if (!TransactionIdIsNormal(xmin))
        return reason::gone;
    if (TransactionIdIsCurrentTransactionId(xmin)) {
        // Our own: written by this command or a later one, or deleted again.
        return HeapTupleHeaderGetCmin(row) >= snapshot->curcid ? reason::in_flight : reason::gone;
    }
    if (XidInMVCCSnapshot(xmin, snapshot))
        return TransactionIdDidAbort(xmin) ? reason::gone : reason::in_flight;
    return reason::gone;
}

struct index_key {
    int64 key;
    int64 id;
};

bool fetch(scan &s, ItemPointer tid, Snapshot snapshot, bool *dead) {
    bool again = false;
    return table_index_fetch_tuple(s.index->xs_heapfetch, tid, snapshot, s.slot, &again, dead);
}

bool is_the_row_meant(scan const &s) {
    index_key const *leading = prefix_of<index_key>(s);
    return leading->key == s.key && leading->id == s.id;
}

} // namespace

void begin(scan &s, table &t, int64 key, int64 after, int64 upto, ScanDirection direction, Snapshot snapshot,
           purpose why) {
    s.t = &t;
    s.key = key;
    s.snapshot = snapshot;
    s.direction = direction;
    s.tracked = why == purpose::reading || !IsolationIsSerializable();
    s.id = -1;
    s.blocker = InvalidTransactionId;
    ScanKeyInit(&s.keys[0], key_attribute, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(key));
    ScanKeyInit(&s.keys[1], id_attribute, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(after));
    ScanKeyInit(&s.keys[2], id_attribute, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(upto));
    s.slot = table_slot_create(t.heap, nullptr);
    s.index = index_beginscan(t.heap, t.index, SnapshotAny, 3, 0);
    s.index->xs_want_itup = true;
    index_rescan(s.index, s.keys, 3, nullptr, 0);
    s.open = true;
}

void track_reading(table const &t, Snapshot snapshot) { PredicateLockRelation(t.index, snapshot); }

step next(scan &s) {
    while (ItemPointer tid = index_getnext_tid(s.index, s.direction)) {
        memcpy(&s.id, reinterpret_cast<char *>(s.index->xs_itup) + sizeof(IndexTupleData) + sizeof(int64), sizeof s.id);
        bool dead = false;
        if (s.tracked) { // which fetching by an MVCC snapshot implies
            if (fetch(s, tid, s.snapshot, &dead)) {
                if (is_the_row_meant(s))
                    return step::frame;
                continue;
            }
            if (dead && !s.index->xactStartedInRecovery)
                s.index->kill_prior_tuple = true;
            if (dead || ScanDirectionIsBackward(s.direction))
                continue;
        }
        if (!fetch(s, tid, SnapshotAny, nullptr) || !is_the_row_meant(s))
            continue;
        if (!s.tracked && table_tuple_satisfies_snapshot(s.t->heap, s.slot, s.snapshot))
            return step::frame;
        if (ScanDirectionIsBackward(s.direction))
            continue;
        bool ignored = false;
        HeapTupleHeader row = ExecFetchSlotHeapTuple(s.slot, false, &ignored)->t_data;
        if (why_invisible(row, s.snapshot) == reason::in_flight) {
            s.blocker = HeapTupleHeaderGetRawXmin(row);
            return step::unsettled;
        }
    }
    return step::end;
}

deletion remove(scan &s) {
    TM_FailureData why;
    switch (table_tuple_delete(s.t->heap, &s.slot->tts_tid, GetCurrentCommandId(true), s.snapshot, InvalidSnapshot,
                               false, &why, false)) {
    case TM_Ok:
        return deletion::done;
    case TM_BeingModified:
        s.blocker = why.xmax;
        return deletion::blocked;
    default:
        return deletion::gone;
    }
}

void end(scan &s) {
    if (!s.open)
        return;
    s.open = false;
    ExecDropSingleTupleTableSlot(s.slot);
    index_endscan(s.index);
}

} // namespace weir::log
