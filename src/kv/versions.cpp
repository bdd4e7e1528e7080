// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/versions.hpp"

namespace weir::kv {

namespace {

enum { bucket_in_index = 1, key_in_index, revision_in_index };

void end_scan(versions &v) {
    if (v.scan != nullptr)
        index_endscan(v.scan);
    v.scan = nullptr;
}

} // namespace

void open_versions(versions &v) {
    v = {};
    v.heap = log::open_relation(log_source, AccessShareLock);
    v.index = log::open_relation(key_index, AccessShareLock);
    v.context = CurrentMemoryContext;
    v.slot = table_slot_create(v.heap, nullptr);
}

void close_versions(versions &v) {
    ExecDropSingleTupleTableSlot(v.slot);
    end_scan(v);
    index_close(v.index, NoLock);
    table_close(v.heap, NoLock);
}

void seek(versions &v, int64 bucket_id, Datum key, int64 upto, Snapshot snapshot) {
    ExecClearTuple(v.slot);
    end_scan(v);
    int keys = upto == core::greatest ? 2 : 3;
    ScanKeyInit(&v.keys[0], bucket_in_index, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(bucket_id));
    ScanKeyEntryInitialize(&v.keys[1], 0, key_in_index, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ,
                           key);
    ScanKeyInit(&v.keys[2], revision_in_index, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(upto));
    MemoryContext before = MemoryContextSwitchTo(v.context);
    v.scan = index_beginscan(v.heap, v.index, snapshot, keys, 0);
    index_rescan(v.scan, v.keys, keys, nullptr, 0);
    MemoryContextSwitchTo(before);
}

bool next_older(versions &v) { return index_getnext_slot(v.scan, BackwardScanDirection, v.slot); }

bool find_newest(versions &v, int64 bucket_id, Datum key, int64 upto, Snapshot snapshot) {
    seek(v, bucket_id, key, upto, snapshot);
    return next_older(v);
}

} // namespace weir::kv
