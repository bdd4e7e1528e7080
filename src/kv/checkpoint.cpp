// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "kv/checkpoint.hpp"
#include "log/table.hpp"
#include "pg/spi.hpp"

namespace weir::kv {

namespace {

namespace spi = pg::spi;

constinit log::source checkpoint_table{"kv_checkpoint"};
constinit log::source checkpoint_index{"kv_checkpoint_pkey"};

enum {
    bucket_column = 1,
    position_column,
    keys_column,
    kept_column,
    bytes_column,
    written_column,
    history_column,
    changes_column
};

constinit spi::statement delete_statement{
    "DELETE FROM weir.kv_checkpoint WHERE bucket_id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}};
constinit spi::statement insert_statement{
    "INSERT INTO weir.kv_checkpoint (bucket_id, \"position\", keys, kept, bytes, written, history_floor,"
    " changes_floor)"
    " VALUES ($1, $2::weir.position, $3, $4, $5, $6, $7::weir.position, $8::weir.position)",
    8,
    {INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID}};

} // namespace

// By hand, since every reader that has a cursor asks.
checkpoint checkpoint_of(int64 bucket_id, Snapshot snapshot) {
    checkpoint c{};
    ScanKeyData key;
    ScanKeyInit(&key, bucket_column, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(bucket_id));
    Relation table = log::open_relation(checkpoint_table, AccessShareLock);
    Relation index = log::open_relation(checkpoint_index, AccessShareLock);
    SysScanDesc scan = systable_beginscan_ordered(table, index, snapshot, 1, &key);
    if (HeapTuple row = systable_getnext_ordered(scan, BackwardScanDirection)) {
        c.position = log::integer_of(row, position_column, table);
        c.keys = log::integer_of(row, keys_column, table);
        c.kept = log::integer_of(row, kept_column, table);
        c.bytes = log::integer_of(row, bytes_column, table);
        c.written = log::integer_of(row, written_column, table);
        c.history_floor = log::integer_of(row, history_column, table);
        c.changes_floor = log::integer_of(row, changes_column, table);
    }
    systable_endscan_ordered(scan);
    index_close(index, AccessShareLock);
    table_close(table, AccessShareLock);
    return c;
}

void forget_checkpoint(int64 bucket_id) {
    spi::session session = spi::begin(log::relation_oid(checkpoint_table));
    Datum value = Int64GetDatum(bucket_id);
    spi::write(delete_statement, &value, nullptr);
    spi::end(session);
}

void save_checkpoint(int64 bucket_id, checkpoint const &c) {
    spi::session session = spi::begin(log::relation_oid(checkpoint_table));
    Datum values[] = {Int64GetDatum(bucket_id),       Int64GetDatum(c.position),     Int64GetDatum(c.keys),
                      Int64GetDatum(c.kept),          Int64GetDatum(c.bytes),        Int64GetDatum(c.written),
                      Int64GetDatum(c.history_floor), Int64GetDatum(c.changes_floor)};
    spi::write(delete_statement, values, nullptr);
    spi::write(insert_statement, values, nullptr);
    spi::end(session);
}

} // namespace weir::kv
