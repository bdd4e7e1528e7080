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

#include "log/range.hpp"
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

struct leading_columns {
    int64 key;
    int64 id;
    int64 ordinal;
};

bool fetch(scan &s, ItemPointer tid, Snapshot snapshot, bool *dead) {
    bool again = false;
    return table_index_fetch_tuple(s.index->xs_heapfetch, tid, snapshot, s.slot, &again, dead);
}

bool is_the_row_meant(scan const &s) {
    auto const *leading = prefix_of<leading_columns>(s);
    return leading->key == s.key && leading->id == s.id;
}

bool is_in_flight(scan &s) {
    bool ignored = false;
    HeapTupleHeader row = ExecFetchSlotHeapTuple(s.slot, false, &ignored)->t_data;
    if (why_invisible(row, s.snapshot) != reason::in_flight)
        return false;
    s.blocker = HeapTupleHeaderGetRawXmin(row);
    return true;
}

int64 first_of_range(scan const &s) { return log::first_of_range(s.id, prefix_of<leading_columns>(s)->ordinal); }

// Stops at a row in flight: at the beginning of its range, as far as that is within the bounds.
step stop(scan &s) {
    int64 first = first_of_range(s);
    s.id = first > s.after ? first : s.after + 1;
    return step::unsettled;
}

// The first entry beyond the bounds: of a range in flight that began within them, not
// every row may be there yet.
step stop_beyond(scan &s, ItemPointer tid) {
    bool reaches_in = fetch(s, tid, SnapshotAny, nullptr) && is_the_row_meant(s) && first_of_range(s) <= s.upto;
    return reaches_in && is_in_flight(s) ? stop(s) : step::end;
}

} // namespace

void begin(scan &s, table &t, int64 key, int64 after, int64 upto, ScanDirection direction, Snapshot snapshot,
           purpose why) {
    s.t = &t;
    s.key = key;
    s.after = after;
    s.upto = upto;
    s.snapshot = snapshot;
    s.direction = direction;
    s.tracked = why == purpose::reading || !IsolationIsSerializable();
    s.id = -1;
    s.blocker = InvalidTransactionId;
    ScanKeyInit(&s.keys[0], key_attribute, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(key));
    ScanKeyInit(&s.keys[1], id_attribute, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(after));
    ScanKeyInit(&s.keys[2], id_attribute, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(upto));
    s.slot = table_slot_create(t.heap, nullptr);
    int keys = ScanDirectionIsForward(direction) ? 2 : 3; // forward it looks at one entry more
    s.index = index_beginscan(t.heap, t.index, SnapshotAny, keys, 0);
    s.index->xs_want_itup = true;
    index_rescan(s.index, s.keys, keys, nullptr, 0);
    s.open = true;
}

void track_reading(table const &t, Snapshot snapshot) { PredicateLockRelation(t.index, snapshot); }

step next(scan &s) {
    while (ItemPointer tid = index_getnext_tid(s.index, s.direction)) {
        memcpy(&s.id, reinterpret_cast<char *>(s.index->xs_itup) + sizeof(IndexTupleData) + sizeof(int64), sizeof s.id);
        if (s.id > s.upto)
            return stop_beyond(s, tid);
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
        if (is_in_flight(s))
            return stop(s);
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
