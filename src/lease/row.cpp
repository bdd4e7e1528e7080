// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "lease/row.hpp"
#include "log/table.hpp"
#include "pg/lock.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"

namespace weir::lease {

namespace {

constinit log::source lease_table{"lease"};
constinit log::source name_index{"lease_pkey"};

int64 key_of(std::string_view name) { return static_cast<int64>(pg::hash_of(name)); }

void insert_index_entries(Relation leases, HeapTuple tuple) {
    CatalogIndexState indexes = CatalogOpenIndexes(leases);
    for (int i = 0; i < indexes->ri_NumIndices; i++) {
        IndexInfo *info = indexes->ri_IndexRelationInfo[i];
        Relation index = indexes->ri_IndexRelationDescs[i];
        if (!info->ii_ReadyForInserts)
            continue;
        Datum values[INDEX_MAX_KEYS];
        bool nulls[INDEX_MAX_KEYS];
        for (int a = 0; a < info->ii_NumIndexAttrs; a++)
            values[a] = heap_getattr(tuple, info->ii_IndexAttrNumbers[a], RelationGetDescr(leases), &nulls[a]);
        index_insert(index, values, nulls, &tuple->t_self, leases,
                     index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
    }
    CatalogCloseIndexes(indexes);
}

} // namespace

core::lease to_core(row const &r) {
    return {static_cast<core::lease_state>(DatumGetChar(r.get(column::state))), r.integer(column::epoch),
            r.integer(column::expires_at), r.integer(column::ttl_us), pg::view_of(r.get(column::owner))};
}

void lock(std::string_view name, purpose what) {
    // Of the server's modes these stand to each other as is wanted.
    constexpr LOCKMODE modes[] = {RowShareLock, ShareUpdateExclusiveLock, ExclusiveLock};
    pg::lock(pg::lock_class::lease, key_of(name), modes[static_cast<int>(what)]);
}

bool try_lock(std::string_view name) { return pg::try_lock(pg::lock_class::lease, key_of(name)); }

void unlock(std::string_view name) { pg::unlock(pg::lock_class::lease, key_of(name)); }

Relation open_table() {
    (void)log::relation_oid(name_index);
    return log::open_relation(lease_table, RowExclusiveLock);
}

void close_table(Relation leases) { table_close(leases, NoLock); }

row to_row(Relation leases, HeapTuple tuple) {
    row r;
    r.there = true;
    r.tid = tuple->t_self;
    heap_deform_tuple(heap_copytuple(tuple), RelationGetDescr(leases), r.values, r.nulls);
    return r;
}

row find(Relation leases, std::string_view name) {
    Datum name_text = pg::to_text(name);
    ScanKeyData key = pg::is_named(column::name, name_text);
    Snapshot latest = pg::take_snapshot();
    SysScanDesc scan = systable_beginscan(leases, log::relation_oid(name_index), true, latest, 1, &key);
    row r{};
    if (HeapTuple tuple = systable_getnext(scan)) {
        r = to_row(leases, tuple);
    } else {
        for (int n = 1; n <= column::count; n++)
            r.clear(n);
        r.set(column::name, name_text);
    }
    systable_endscan(scan);
    UnregisterSnapshot(latest);
    return r;
}

bool update(Relation leases, row &r) {
    HeapTuple tuple = heap_form_tuple(RelationGetDescr(leases), r.values, r.nulls);
    tuple->t_tableOid = RelationGetRelid(leases);
    TM_FailureData why;
    TM_Result result = pg::compat::heap_update(leases, &r.tid, tuple, GetCurrentCommandId(true), &why);
    if (result == TM_Updated || result == TM_Deleted)
        return false;
    if (result != TM_Ok)
        elog(ERROR, "row of a lease was written twice in one command");
    r.tid = tuple->t_self;
    if (!HeapTupleIsHeapOnly(tuple))
        insert_index_entries(leases, tuple);
    return true;
}

void remove_if_unchanged(Relation leases, ItemPointer tid) {
    TM_FailureData why;
    (void)heap_delete(leases, tid, GetCurrentCommandId(true), InvalidSnapshot, false, &why, false);
}

void insert(Relation leases, row &r) {
    HeapTuple tuple = heap_form_tuple(RelationGetDescr(leases), r.values, r.nulls);
    heap_insert(leases, tuple, GetCurrentCommandId(true), 0, nullptr);
    insert_index_entries(leases, tuple);
    r.tid = tuple->t_self;
    r.there = true;
}

} // namespace weir::lease
