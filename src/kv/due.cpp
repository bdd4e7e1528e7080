// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "kv/due.hpp"
#include "log/table.hpp"
#include "pg/spi.hpp"

namespace weir::kv {

namespace {

namespace spi = pg::spi;

constinit log::source due_table{"kv_due"};

constinit spi::statement list_statement{"SELECT due_at, bucket_id, revision FROM weir.kv_due"
                                        " WHERE due_at OPERATOR(pg_catalog.<=) $1 ORDER BY due_at LIMIT $2 OFFSET $3",
                                        3,
                                        {INT8OID, INT8OID, INT8OID}};
constinit spi::statement next_statement{"SELECT due_at FROM weir.kv_due ORDER BY due_at LIMIT 1", 0, {}};
constinit spi::statement remove_statement{
    "DELETE FROM weir.kv_due WHERE due_at OPERATOR(pg_catalog.=) $1 AND bucket_id OPERATOR(pg_catalog.=) $2"
    " AND revision OPERATOR(pg_catalog.=) $3::weir.position",
    3,
    {INT8OID, INT8OID, INT8OID}};

} // namespace

// By hand, since it goes with a write.
void enter_due(int64 due_ms, int64 bucket_id, int64 first_revision, int count) {
    Relation table = log::open_relation(due_table, RowExclusiveLock);
    CatalogIndexState indexes = CatalogOpenIndexes(table);
    for (int i = 0; i < count; i++) {
        Datum values[] = {Int64GetDatum(due_ms), Int64GetDatum(bucket_id), Int64GetDatum(first_revision + i)};
        bool nulls[3] = {};
        HeapTuple row = heap_form_tuple(RelationGetDescr(table), values, nulls);
        CatalogTupleInsertWithInfo(table, row, indexes);
        heap_freetuple(row);
    }
    CatalogCloseIndexes(indexes);
    table_close(table, NoLock);
}

int list_due(int64 now_ms, int64 passed, due *out, int room) {
    spi::session session = spi::begin(log::relation_oid(due_table));
    Datum values[] = {Int64GetDatum(now_ms), Int64GetDatum(room), Int64GetDatum(passed)};
    auto count = static_cast<int>(spi::write(list_statement, values, nullptr));
    for (int i = 0; i < count; i++) {
        bool null = false;
        out[i] = {DatumGetInt64(spi::column(i, 1, &null)), DatumGetInt64(spi::column(i, 2, &null)),
                  DatumGetInt64(spi::column(i, 3, &null))};
    }
    spi::end(session);
    return count;
}

void remove_due(due const &d) {
    spi::session session = spi::begin(log::relation_oid(due_table));
    Datum values[] = {Int64GetDatum(d.due_ms), Int64GetDatum(d.bucket_id), Int64GetDatum(d.revision)};
    spi::write(remove_statement, values, nullptr);
    spi::end(session);
}

int64 next_due() {
    spi::session session = spi::begin(log::relation_oid(due_table));
    bool null = false;
    int64 next = spi::write(next_statement, nullptr, nullptr) > 0 ? DatumGetInt64(spi::column(0, 1, &null)) : -1;
    spi::end(session);
    return next;
}

} // namespace weir::kv
