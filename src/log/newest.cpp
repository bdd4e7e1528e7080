// SPDX-License-Identifier: PostgreSQL
//
// The quick way descends the btree once and looks at one item; an ordinary index
// scan would copy every entry of the leaf first, and do so under the lock. It
// uses what nbtree.h offers to contrib/amcheck and its like. Whatever is not
// plain (the entry lies on the page before, a posting list, a killed item, a
// pruned row) goes the slow way, an ordinary backward scan.
//
// Reading the row while the leaf is locked keeps VACUUM from recycling its TID.
#include "pg/pg.hpp"

#include "log/newest.hpp"

namespace weir::log {

namespace {

struct index_key {
    int64 key;
    int64 id;
};

index_key key_of(IndexTuple item) {
    index_key k;
    memcpy(&k, reinterpret_cast<char *>(item) + sizeof(IndexTupleData), sizeof k);
    return k;
}

// The row at tid, if it is still there and carries that key. pruned: nothing is
// there any more, for anybody.
bool read_row(Relation heap, ItemPointer tid, index_key expected, entry &out, bool *pruned) {
    Buffer buffer = ReadBuffer(heap, ItemPointerGetBlockNumber(tid));
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    Page page = BufferGetPage(buffer);
    OffsetNumber offset = ItemPointerGetOffsetNumber(tid);
    bool found = false;
    *pruned = false;
    if (offset <= PageGetMaxOffsetNumber(page)) {
        ItemId item = PageGetItemId(page, offset);
        *pruned = ItemIdIsDead(item);
        if (ItemIdIsNormal(item)) {
            auto *row = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
            char *data = reinterpret_cast<char *>(row) + row->t_hoff;
            std::size_t length = ItemIdGetLength(item) - row->t_hoff;
            memcpy(out.prefix, data, length < prefix_bytes ? length : prefix_bytes);
            out.xmin = HeapTupleHeaderGetXmin(row);
            bool deleted = !(row->t_infomask & HEAP_XMAX_INVALID) && !HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask);
            out.xmax = deleted ? HeapTupleHeaderGetUpdateXid(row) : InvalidTransactionId;
            out.tid = *tid;
            found = memcmp(out.prefix, &expected, sizeof expected) == 0;
        }
    }
    UnlockReleaseBuffer(buffer);
    out.readable = found;
    return found;
}

// The last item of the leaf that is not above the key.
OffsetNumber last_not_above(Relation index, BTScanInsert seek, Page page) {
    BTPageOpaque opaque = BTPageGetOpaque(page);
    OffsetNumber low = P_FIRSTDATAKEY(opaque);
    OffsetNumber high = OffsetNumberNext(PageGetMaxOffsetNumber(page));
    while (low < high) { // the first item above
        OffsetNumber middle = low + (high - low) / 2;
        if (_bt_compare(index, seek, page, middle) >= 0)
            low = OffsetNumberNext(middle);
        else
            high = middle;
    }
    return OffsetNumberPrev(low);
}

enum class quick { found, none, unsure };

quick newest_quickly(table const &t, int64 key, entry &out) {
    BTScanInsert seek = &t.from->seek;
    seek->scankeys[0].sk_argument = Int64GetDatum(key);

    Buffer leaf = InvalidBuffer;
    BTStack stack = pg::compat::bt_search(t.index, t.heap, seek, &leaf);
    if (!BufferIsValid(leaf))
        return quick::none;
    _bt_freestack(stack);

    quick result = quick::unsure;
    Page page = BufferGetPage(leaf);
    BTPageOpaque opaque = BTPageGetOpaque(page);
    OffsetNumber offset = P_IGNORE(opaque) ? InvalidOffsetNumber : last_not_above(t.index, seek, page);
    if (offset >= P_FIRSTDATAKEY(opaque)) {
        ItemId item = PageGetItemId(page, offset);
        auto *tuple = reinterpret_cast<IndexTuple>(PageGetItem(page, item));
        if (!ItemIdIsDead(item) && !BTreeTupleIsPosting(tuple)) {
            index_key found = key_of(tuple);
            if (found.key != key) {
                result = quick::none;
            } else if (bool pruned; read_row(t.heap, &tuple->t_tid, found, out, &pruned)) {
                out.id = found.id;
                result = quick::found;
            }
        }
    } else if (!P_IGNORE(opaque) && P_LEFTMOST(opaque)) {
        result = quick::none;
    }
    _bt_relbuf(t.index, leaf);
    return result;
}

entry newest_by_scan(table const &t, int64 key, pass_over skip, int most) {
    entry out;
    ScanKeyData match;
    ScanKeyInit(&match, key_attribute, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(key));
    IndexScanDesc scan = index_beginscan(t.heap, t.index, SnapshotAny, 1, 0);
    scan->xs_want_itup = true;
    scan->ignore_killed_tuples = false; // their positions were assigned all the same
    index_rescan(scan, &match, 1, nullptr, 0);
    while (ItemPointer tid = index_getnext_tid(scan, BackwardScanDirection)) {
        index_key found = key_of(scan->xs_itup);
        if (out.id < 0)
            out.id = found.id;
        bool pruned = false;
        if (read_row(t.heap, tid, found, out, &pruned) && (most-- <= 0 || !skip(out)))
            break;
        out.readable = false;
        // Lets a full leaf drop it, else a run of rollbacks would be walked again and again.
        scan->kill_prior_tuple = pruned;
    }
    index_endscan(scan);
    return out;
}

} // namespace

entry newest(table const &t, int64 key, pass_over skip, int most) {
    entry out;
    switch (newest_quickly(t, key, out)) {
    case quick::found:
        if (!skip(out))
            return out;
        break;
    case quick::none:
        return {};
    case quick::unsure:
        break;
    }
    return newest_by_scan(t, key, skip, most);
}

} // namespace weir::log
