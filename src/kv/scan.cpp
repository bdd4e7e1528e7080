// SPDX-License-Identifier: PostgreSQL
//
// Keys in their order, byte by byte, each as the newest of its changes says: kv_scan(), kv_keys().
//
// The index on (bucket, key, revision) is walked forward, entry by entry, without their rows. A key has one entry or
// a few, of which the last that is visible counts. Where it has more, housekeeping being late or an old snapshot
// keeping them, its newest is looked up from the other side, and the walk goes on behind the key: no read gets slow
// by what has been superseded.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/request.hpp"
#include "kv/rows.hpp"
#include "kv/state.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"

namespace kv = weir::kv;
namespace pg = weir::pg;

namespace {

constexpr int max_entries = 4; // of a key, that are gone through

struct entry {
    std::string_view key; // in a buffer of the walk
    ItemPointerData tid;
    bool there;
};

struct walk {
    kv::state const *s;
    kv::versions v; // the key's newest change is its current row
    IndexScanDesc scan;
    char buffers[2][512];
    int buffer; // of the entry that was read ahead
    entry ahead;
};

void read_ahead(walk &w) {
    ItemPointer tid = index_getnext_tid(w.scan, ForwardScanDirection);
    w.ahead.there = tid != nullptr;
    if (tid == nullptr)
        return;
    w.ahead.tid = *tid;
    bool null = false;
    std::string_view key = pg::view_of(index_getattr(w.scan->xs_itup, 2, RelationGetDescr(w.v.index), &null));
    w.ahead.key = {w.buffers[w.buffer], key.size()};
    memcpy(w.buffers[w.buffer], key.data(), key.size());
}

void start(walk &w, std::string_view from, bool inclusive) {
    Datum text = pg::to_text(from);
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(w.s->bucket_id));
    ScanKeyEntryInitialize(&keys[1], 0, 2, inclusive ? BTGreaterEqualStrategyNumber : BTGreaterStrategyNumber,
                           InvalidOid, C_COLLATION_OID, inclusive ? F_TEXT_GE : F_TEXT_GT, text);
    if (w.scan == nullptr) {
        w.scan = index_beginscan(w.v.heap, w.v.index, w.s->snapshot, 2, 0);
        w.scan->xs_want_itup = true;
    }
    index_rescan(w.scan, keys, 2, nullptr, 0);
    read_ahead(w);
}

bool is_visible(walk &w, ItemPointer tid) {
    bool again = false;
    return table_index_fetch_tuple(w.scan->xs_heapfetch, tid, w.s->snapshot, w.v.slot, &again, nullptr);
}

// The next key that has an entry. False: there is none. out: whether it is there, with its row.
bool next_key(walk &w, std::string_view &key, bool &is_there) {
    if (!w.ahead.there)
        return false;
    key = w.ahead.key;
    w.buffer = 1 - w.buffer;
    ItemPointerData tids[max_entries];
    int count = 0;
    for (; w.ahead.there && w.ahead.key == key && count < max_entries; read_ahead(w))
        tids[count++] = w.ahead.tid;
    bool is_long = w.ahead.there && w.ahead.key == key;
    if (is_long || w.s->is_past) {
        is_there = kv::find(w.v, *w.s, pg::to_text(key));
        if (is_long)
            start(w, key, false);
        return true;
    }
    is_there = false;
    while (count > 0 && !is_there)
        is_there = is_visible(w, &tids[--count]);
    is_there = is_there && kv::is_alive(kv::prefix_of(w.v.slot), w.s->at_ms);
    return true;
}

enum { bucket_at, prefix_at, after_at, max_at, revision_at };

void scan(FunctionCallInfo fcinfo, pg::result_set const &rows, void (*add)(pg::result_set const &, TupleTableSlot *)) {
    if (PG_ARGISNULL(prefix_at))
        pg::null_argument("prefix");
    std::string_view prefix = pg::view_of(PG_GETARG_DATUM(prefix_at));
    std::string_view after = PG_ARGISNULL(after_at) ? std::string_view{} : pg::view_of(PG_GETARG_DATUM(after_at));
    kv::page page = kv::page_argument(fcinfo, max_at);
    kv::state s = kv::begin_state(fcinfo, revision_at);
    kv::check_kept(s);
    if (s.bucket_id != 0) {
        MemoryContext per_key = AllocSetContextCreate(CurrentMemoryContext, "weir key", ALLOCSET_DEFAULT_SIZES);
        auto *w = static_cast<walk *>(palloc0(sizeof(walk)));
        w->s = &s;
        kv::open_versions(w->v);
        bool on_page = !PG_ARGISNULL(after_at) && after >= prefix;
        start(*w, on_page ? after : prefix, !on_page);
        std::string_view key;
        bool is_there = false;
        while (!page.cut && next_key(*w, key, is_there) && key.substr(0, prefix.size()) == prefix) {
            CHECK_FOR_INTERRUPTS();
            MemoryContext before = MemoryContextSwitchTo(per_key);
            if (is_there && kv::has_room(page))
                add(rows, w->v.slot);
            MemoryContextSwitchTo(before);
            MemoryContextReset(per_key);
        }
        index_endscan(w->scan);
        kv::close_versions(w->v);
        MemoryContextDelete(per_key);
    }
    kv::end_state(s);
    kv::say_cut(page, "Go on with after => the last key, or give max, up to 10000.");
}

void add_key(pg::result_set const &rows, TupleTableSlot *slot) {
    Datum values[] = {pg::to_text(kv::key_of(slot))};
    bool nulls[] = {false};
    rows.add(values, nulls);
}

} // namespace

WEIR_FUNCTION(weir_kv_scan) {
    scan(fcinfo, pg::begin_result_set(fcinfo), kv::add_change);
    return Datum{0};
}

WEIR_FUNCTION(weir_kv_keys) {
    scan(fcinfo, pg::begin_result_set(fcinfo, pg::result_of::values), add_key);
    return Datum{0};
}
