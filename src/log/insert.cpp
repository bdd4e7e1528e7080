// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/insert.hpp"

namespace weir::log {

struct other_index {
    Relation index;
    IndexInfo *info;
};

namespace {

void insert_index_entry(table const &t, HeapTuple tuple, ItemPointer tid) {
    int64 const *leading = prefix_of<int64>(tuple);
    Datum values[2] = {Int64GetDatum(leading[0]), Int64GetDatum(leading[1])};
    bool nulls[2] = {false, false};
    // No uniqueness check: minting under the lock is what makes positions unique,
    // and a check could wait for another transaction.
    index_insert(t.index, values, nulls, tid, t.heap, UNIQUE_CHECK_NO, false, &t.from->info);
}

// An index that REINDEX CONCURRENTLY is building wants its entries too.
void insert_other_index_entries(rows const &r, Relation heap, HeapTuple tuple, ItemPointer tid) {
    for (int i = 0; i < r.other_index_count; i++) {
        other_index const &other = r.other_indexes[i];
        Datum values[INDEX_MAX_KEYS];
        bool nulls[INDEX_MAX_KEYS];
        for (int a = 0; a < other.info->ii_NumIndexAttrs; a++)
            values[a] = heap_getattr(tuple, other.info->ii_IndexAttrNumbers[a], RelationGetDescr(heap), &nulls[a]);
        index_insert(other.index, values, nulls, tid, heap, UNIQUE_CHECK_NO, false, other.info);
    }
}

void open_other_indexes(rows &r, table const &t) {
    List *indexes = RelationGetIndexList(t.heap);
    r.other_indexes = static_cast<other_index *>(palloc(sizeof(other_index) * list_length(indexes)));
    for (int i = 0; i < list_length(indexes); i++) {
        Oid oid = list_nth_oid(indexes, i);
        if (oid == RelationGetRelid(t.index))
            continue;
        Relation index = index_open(oid, RowExclusiveLock);
        IndexInfo *info = BuildIndexInfo(index);
        if (info->ii_Expressions != NIL || info->ii_Predicate != NIL)
            ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                            errmsg("index \"%s\" on a log table has expressions or a predicate",
                                   RelationGetRelationName(index))));
        if (info->ii_ReadyForInserts)
            r.other_indexes[r.other_index_count++] = {index, info};
        else
            index_close(index, NoLock);
    }
    list_free(indexes);
}

// Opening relations may wait and reads catalogues; under the lock it then is a matter
// of what is open already.
void open_toast(rows &r, Relation heap) {
    bool large = false;
    for (int i = 0; i < r.count; i++)
        large |= r.tuples[i]->t_len > TOAST_TUPLE_THRESHOLD;
    if (!large)
        return;
    r.toast = table_open(heap->rd_rel->reltoastrelid, RowExclusiveLock);
    toast_open_indexes(r.toast, RowExclusiveLock, &r.toast_indexes, &r.toast_index_count);
}

void close_toast(rows &r) {
    if (r.toast == nullptr)
        return;
    toast_close_indexes(r.toast_indexes, r.toast_index_count, NoLock);
    table_close(r.toast, NoLock);
}

} // namespace

rows prepare(table const &t, HeapTuple *tuples, int count) {
    rows r{};
    r.tuples = tuples;
    r.count = count;
    if (count > 1) {
        r.slots = static_cast<TupleTableSlot **>(palloc(sizeof(TupleTableSlot *) * count));
        // Of a descriptor of their own: that of a relation is counted for every slot.
        TupleDesc descriptor = CreateTupleDescCopy(RelationGetDescr(t.heap));
        for (int i = 0; i < count; i++) {
            r.slots[i] = MakeSingleTupleTableSlot(descriptor, &TTSOpsHeapTuple);
            ExecStoreHeapTuple(tuples[i], r.slots[i], true);
        }
    }
    open_toast(r, t.heap);
    if (!t.from->single_index)
        open_other_indexes(r, t);
    return r;
}

void insert(table const &t, rows &r) {
    CommandId command = GetCurrentCommandId(true);
    if (r.count == 1)
        heap_insert(t.heap, r.tuples[0], command, 0, nullptr);
    else
        heap_multi_insert(t.heap, r.slots, r.count, command, 0, nullptr);
    for (int i = 0; i < r.count; i++) {
        ItemPointer tid = r.count == 1 ? &r.tuples[0]->t_self : &r.slots[i]->tts_tid;
        insert_index_entry(t, r.tuples[i], tid);
        insert_other_index_entries(r, t.heap, r.tuples[i], tid);
    }
}

void release(rows &r) {
    close_toast(r);
    for (int i = 0; i < r.other_index_count; i++)
        index_close(r.other_indexes[i].index, NoLock);
    for (int i = 0; i < r.count; i++) {
        if (r.slots != nullptr)
            ExecDropSingleTupleTableSlot(r.slots[i]);
        else
            heap_freetuple(r.tuples[i]);
    }
}

} // namespace weir::log
