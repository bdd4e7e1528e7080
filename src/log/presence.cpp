// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/presence.hpp"

namespace weir::log {

namespace {

presence presence_of_row(Relation heap, TupleTableSlot *slot, Snapshot snapshot) {
    if (table_tuple_satisfies_snapshot(heap, slot, snapshot))
        return presence::visible;
    bool ignored = false;
    HeapTupleHeader row = ExecFetchSlotHeapTuple(slot, false, &ignored)->t_data;
    TransactionId xmin = HeapTupleHeaderGetXmin(row);
    if (!TransactionIdIsNormal(xmin) || TransactionIdIsCurrentTransactionId(xmin) || TransactionIdIsInProgress(xmin) ||
        TransactionIdDidCommit(xmin))
        return presence::other;
    return presence::undone;
}

} // namespace

presence presence_of(table const &t, int64 key, int64 id, Snapshot snapshot) {
    presence found = presence::none;
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], key_attribute, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(key));
    ScanKeyInit(&keys[1], id_attribute, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
    TupleTableSlot *slot = table_slot_create(t.heap, nullptr);
    IndexScanDesc scan = index_beginscan(t.heap, t.index, SnapshotAny, 2, 0);
    index_rescan(scan, keys, 2, nullptr, 0);
    while (found == presence::none && index_getnext_slot(scan, ForwardScanDirection, slot)) {
        bool null = false; // a TID may have been recycled: held against what the index meant
        if (DatumGetInt64(slot_getattr(slot, key_attribute, &null)) == key &&
            DatumGetInt64(slot_getattr(slot, id_attribute, &null)) == id)
            found = presence_of_row(t.heap, slot, snapshot);
    }
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    return found;
}

} // namespace weir::log
