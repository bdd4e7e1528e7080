// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/insert.hpp"
#include "log/range.hpp"
#include "log/ready.hpp"

namespace weir::log {

struct other_index {
    Relation index;
    IndexInfo *info;
};

namespace {

constexpr int max_under_lock = 64;
constexpr std::size_t max_bytes_under_lock = 32 * 1024;
constexpr int at_once = 256; // between two looks for a cancellation

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
        make_index_ready(index);
        if (info->ii_ReadyForInserts)
            r.other_indexes[r.other_index_count++] = {index, info};
        else
            index_close(index, NoLock);
    }
    list_free(indexes);
}

bool is_large(HeapTuple tuple) { return tuple->t_len > TOAST_TUPLE_THRESHOLD; }

// For a large row that has to go in under the lock all the same. The server opens them
// once more, which is nothing if it has locked them before; an index in two modes.
void open_toast(rows &r, Relation heap) {
    if (r.guard != nullptr || !is_large(r.tuples[0]))
        return;
    r.toast = table_open(heap->rd_rel->reltoastrelid, RowExclusiveLock);
    toast_open_indexes(r.toast, RowExclusiveLock, &r.toast_indexes, &r.toast_index_count);
    for (int i = 0; i < r.toast_index_count; i++)
        LockRelationOid(RelationGetRelid(r.toast_indexes[i]), AccessShareLock);
}

void close_toast(rows &r) {
    if (r.toast == nullptr)
        return;
    toast_close_indexes(r.toast_indexes, r.toast_index_count, NoLock);
    table_close(r.toast, NoLock);
}

void insert_one(table const &t, rows const &r, HeapTuple tuple) {
    heap_insert(t.heap, tuple, GetCurrentCommandId(true), 0, nullptr);
    insert_index_entry(t, tuple, &tuple->t_self);
    insert_other_index_entries(r, t.heap, tuple, &tuple->t_self);
}

// Entries ascend, so that whoever meets one has met those before it.
void insert_some(table const &t, rows const &r, int first, int count) {
    if (r.count == 1) {
        insert_one(t, r, r.tuples[0]);
        return;
    }
    heap_multi_insert(t.heap, r.slots + first, count, GetCurrentCommandId(true), 0, nullptr);
    for (int i = first; i < first + count; i++) {
        insert_index_entry(t, r.tuples[i], &r.slots[i]->tts_tid);
        insert_other_index_entries(r, t.heap, r.tuples[i], &r.slots[i]->tts_tid);
    }
}

} // namespace

Datum compressed(Relation heap, int column, Datum value) {
    if (VARSIZE_ANY(DatumGetPointer(value)) < TOAST_TUPLE_THRESHOLD)
        return value;
    Datum smaller = toast_compress_datum(value, TupleDescAttr(RelationGetDescr(heap), column - 1)->attcompression);
    return DatumGetPointer(smaller) == nullptr ? value : smaller;
}

bool takes_long(HeapTuple const *tuples, int count) {
    std::size_t size = 0;
    for (int i = 0; i < count; i++) {
        if (is_large(tuples[i]))
            return true;
        size += tuples[i]->t_len;
    }
    return count > max_under_lock || size > max_bytes_under_lock;
}

rows prepare(table const &t, HeapTuple *tuples, int count, HeapTuple guard) {
    rows r{};
    r.tuples = tuples;
    r.count = count;
    r.guard = guard;
    if (guard != nullptr && count >= max_in_range)
        elog(ERROR, "%d rows are too many for one range", count);
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

void make_ready(rows const &r) {
    if (r.toast != nullptr)
        list_free(RelationGetIndexList(r.toast));
}

void insert(table const &t, rows &r) {
    if (r.guard != nullptr)
        insert_one(t, r, r.guard);
    else
        insert_some(t, r, 0, r.count);
}

void insert_guarded(table const &t, rows &r) {
    for (int first = 0; r.guard != nullptr && first < r.count; first += at_once) {
        CHECK_FOR_INTERRUPTS();
        insert_some(t, r, first, r.count - first < at_once ? r.count - first : at_once);
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
    if (r.guard != nullptr)
        heap_freetuple(r.guard);
}

} // namespace weir::log
