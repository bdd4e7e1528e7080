// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/table.hpp"
#include "outbox/cursor.hpp"

namespace weir::outbox {

namespace {

constinit log::source cursor_table{"subscription_cursor"};
constinit log::source cursor_index{"subscription_cursor_pkey"};

enum { subscription_column = 1, stream_column, turn_column, position_column, frames_column, moved_at_column };
constexpr int columns = moved_at_column;

struct cursor_scan {
    Relation table;
    Relation index;
    SysScanDesc scan;
};

cursor_scan begin_scan(int64 subscription_id, int64 stream_id, int keys, Snapshot snapshot) {
    ScanKeyData key[2];
    ScanKeyInit(&key[0], subscription_column, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(subscription_id));
    ScanKeyInit(&key[1], stream_column, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(stream_id));
    cursor_scan s;
    s.table = log::open_relation(cursor_table, AccessShareLock);
    s.index = log::open_relation(cursor_index, AccessShareLock);
    s.scan = systable_beginscan_ordered(s.table, s.index, snapshot, keys, key);
    return s;
}

void end_scan(cursor_scan &s) {
    systable_endscan_ordered(s.scan);
    index_close(s.index, AccessShareLock);
    table_close(s.table, AccessShareLock);
}

} // namespace

cursor find_cursor(int64 subscription_id, int64 stream_id, Snapshot snapshot) {
    cursor c{};
    cursor_scan s = begin_scan(subscription_id, stream_id, 2, snapshot);
    if (HeapTuple row = systable_getnext_ordered(s.scan, BackwardScanDirection)) {
        c.stored = true;
        c.position = log::integer_of(row, position_column, s.table);
        c.frames = log::integer_of(row, frames_column, s.table);
        c.moved_at = log::integer_of(row, moved_at_column, s.table);
        c.turn = log::integer_of(row, turn_column, s.table);
        c.tid = row->t_self;
    }
    end_scan(s);
    return c;
}

void move_cursor(int64 subscription_id, int64 stream_id, cursor const &from, int64 position, int64 frames) {
    Datum values[columns] = {Int64GetDatum(subscription_id), Int64GetDatum(stream_id),
                             Int64GetDatum(from.turn + 1),   Int64GetDatum(position),
                             Int64GetDatum(frames),          TimestampTzGetDatum(GetCurrentTimestamp())};
    bool nulls[columns] = {};
    Relation table = log::open_relation(cursor_table, RowExclusiveLock);
    CatalogTupleInsert(table, heap_form_tuple(RelationGetDescr(table), values, nulls));
    if (from.stored) {
        ItemPointerData tid = from.tid;
        CatalogTupleDelete(table, &tid);
    }
    table_close(table, NoLock);
}

void remove_cursor(cursor const &c) {
    if (!c.stored)
        return;
    ItemPointerData tid = c.tid;
    Relation table = log::open_relation(cursor_table, RowExclusiveLock);
    CatalogTupleDelete(table, &tid);
    table_close(table, NoLock);
}

void remove_cursors(int64 subscription_id, Snapshot snapshot) {
    Relation table = log::open_relation(cursor_table, RowExclusiveLock);
    cursor_scan s = begin_scan(subscription_id, 0, 1, snapshot);
    while (HeapTuple row = systable_getnext_ordered(s.scan, ForwardScanDirection))
        CatalogTupleDelete(table, &row->t_self);
    end_scan(s);
    table_close(table, NoLock);
}

} // namespace weir::outbox
