// SPDX-License-Identifier: PostgreSQL
//
// Job "buckets": from the bucket's checkpoint forward, each settled change takes out what it made superfluous: the
// version of its key that the history has no room for any more; a purge, all of them. So every change costs one
// look and one removal, however many there are.
//
// The versions of a key go oldest first. Hence a walk from a change backward may end at the first one that was removed:
// behind it are only such, which an old snapshot may keep from being vacuumed.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/change.hpp"
#include "kv/evict.hpp"
#include "kv/expire.hpp"
#include "kv/housekeeping.hpp"
#include "kv/names.hpp"
#include "kv/properties.hpp"
#include "log/clock.hpp"
#include "log/scan.hpp"
#include "log/writer.hpp"
#include "pg/key_lock.hpp"
#include "pg/settings.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"
#include "worker/jobs.hpp"

namespace weir::kv {

namespace {

constexpr int64 run = 128;       // a write that crosses a multiple of so many changes asks for a step
constexpr int max_a_step = 1000; // changes

int buckets_job, expiry_job;

enum class act { remove, count };

struct fold {
    checkpoint at;
    int64 history;
    act what;
    Snapshot snapshot;
    Relation heap;
    Relation index;
    TupleTableSlot *slot;
    bool blocked; // by a transaction that is removing something, too
};

struct version {
    int64 revision;
    bool is_put;
    bool is_purge;
};

void take_out(fold &f, int64 superseded_at) {
    int64 size = size_of(f.slot);
    if (f.what == act::remove) {
        TM_FailureData why;
        TM_Result result = table_tuple_delete(f.heap, &f.slot->tts_tid, GetCurrentCommandId(true), f.snapshot,
                                              InvalidSnapshot, false, &why, false);
        f.blocked |= result != TM_Ok;
        if (result != TM_Ok)
            return;
    }
    f.at.kept--;
    f.at.bytes -= size;
    if (superseded_at > f.at.history_floor)
        f.at.history_floor = superseded_at;
}

HeapTupleHeader header_of(fold const &f) {
    bool ignored = false;
    return ExecFetchSlotHeapTuple(f.slot, false, &ignored)->t_data;
}

// For an earlier change of this step: the snapshot shows it still.
bool is_removed_by_us(fold const &f) {
    HeapTupleHeader row = header_of(f);
    return !(row->t_infomask & HEAP_XMAX_INVALID) && !HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask) &&
           TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(row));
}

// Whether the walk may go on behind a row that the snapshot does not show.
bool may_go_on(fold const &f) {
    HeapTupleHeader row = header_of(f);
    return log::status_of(HeapTupleHeaderGetXmin(row)) != log::status::committed;
}

// The change's key, walked back from it.
void fold_key(fold &f, int64 bucket_id, prefix const &change, Datum key) {
    ScanKeyData keys[3];
    ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(bucket_id));
    ScanKeyEntryInitialize(&keys[1], 0, 2, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ, key);
    ScanKeyInit(&keys[2], 3, BTLessStrategyNumber, F_INT8LT, Int64GetDatum(change.revision));
    IndexScanDesc scan = index_beginscan(f.heap, f.index, SnapshotAny, 3, 0);
    index_rescan(scan, keys, 3, nullptr, 0);
    bool is_purge = op_of(change) == op::purge, was_there = false;
    int64 room = is_purge ? 1 : f.history, n = 1;
    int64 last_counted = f.what == act::remove ? PG_INT64_MAX : f.history + 1;
    version newer{change.revision, false, is_purge};
    while (index_getnext_slot(scan, BackwardScanDirection, f.slot)) {
        prefix const row = prefix_of(f.slot);
        if (row.bucket_id != bucket_id || key_of(f.slot) != pg::view_of(key)) // a TID that was recycled
            continue;
        if (is_removed_by_us(f))
            break;
        if (!table_tuple_satisfies_snapshot(f.heap, f.slot, f.snapshot)) {
            if (may_go_on(f))
                continue;
            break;
        }
        if (n++ == 1)
            was_there = op_of(row) == op::put;
        if (n > last_counted)
            break;
        if (n > room)
            take_out(f, newer.revision);
        newer = {row.revision, op_of(row) == op::put, op_of(row) == op::purge};
        if (newer.is_purge && f.what == act::count)
            break;
    }
    index_endscan(scan);
    f.at.keys += (op_of(change) == op::put) - was_there;
}

void begin_fold(fold &f, int64 bucket_id, act what, Snapshot snapshot) {
    f = {};
    f.at = checkpoint_of(bucket_id, snapshot);
    f.history = properties_of(bucket_id).integer(property::history);
    f.what = what;
    f.snapshot = snapshot;
}

// Settled changes behind the checkpoint. True: that is all there are.
bool advance(fold &f, int64 bucket_id, int most) {
    LOCKMODE mode = f.what == act::remove ? RowExclusiveLock : AccessShareLock;
    log::table t = log::open(log_source, mode);
    f.heap = t.heap;
    f.index = log::open_relation(key_index, mode);
    f.slot = table_slot_create(t.heap, nullptr);
    MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "weir change", ALLOCSET_DEFAULT_SIZES);
    log::scan s;
    log::begin(s, t, bucket_id, f.at.position, core::greatest, ForwardScanDirection, f.snapshot, log::purpose::upkeep);
    bool all = false;
    while (!f.blocked && !all && most-- > 0) {
        CHECK_FOR_INTERRUPTS();
        all = log::next(s) != log::step::frame;
        if (all)
            break;
        MemoryContext before = MemoryContextSwitchTo(per_row);
        prefix const row = prefix_of(s.slot);
        if (is_change(row)) {
            fold_key(f, bucket_id, row, pg::to_text(key_of(s.slot)));
            f.at.kept++;
            f.at.bytes += size_of(s.slot);
            f.at.position = row.revision;
            f.at.written = row.written;
        }
        MemoryContextSwitchTo(before);
        MemoryContextReset(per_row);
    }
    log::end(s);
    MemoryContextDelete(per_row);
    ExecClearTuple(f.slot);
    ExecDropSingleTupleTableSlot(f.slot);
    index_close(f.index, NoLock);
    log::close(t);
    return all;
}

worker::outcome step(int64 bucket_id) {
    using worker::outcome;
    if (!pg::try_lock_key(pg::lock_class::maintenance, 0, bucket_id))
        return {outcome::what::not_now};
    AcceptInvalidationMessages(); // whoever had the lock may have altered it
    fold f;
    Snapshot latest = pg::take_snapshot();
    begin_fold(f, bucket_id, act::remove, latest);
    int64 from = f.at.position;
    bool all = advance(f, bucket_id, max_a_step);
    UnregisterSnapshot(latest);
    if (f.at.position != from)
        save_checkpoint(bucket_id, f.at);
    if (!all)
        return {f.blocked ? outcome::what::not_now : outcome::what::more};
    return {make_room(bucket_id, f.at) ? outcome::what::more : outcome::what::done};
}

} // namespace

void register_jobs() {
    buckets_job = worker::register_job({.name = "buckets", .step = step, .next_key = next_bucket});
    expiry_job = worker::register_job({.name = "expiry", .step = expire_step, .at_first = true});
}

void ask_at_once(int64 bucket_id) { worker::ask(buckets_job, bucket_id); }

void ask_to_keep_house(int64 bucket_id, int64 ordinal, int count) {
    if (ordinal / run != (ordinal - count) / run)
        ask_at_once(bucket_id);
}

// Where it is switched off, a housekeeper that others keep running is not to come for it.
void ask_to_expire(int64 in_us) {
    if (pg::settings::housekeeping)
        worker::ask_for_everything_within(expiry_job, in_us > 0 ? in_us : 0);
    else
        worker::ask_for_everything(expiry_job);
}

checkpoint account(int64 bucket_id, Snapshot snapshot) {
    fold f;
    begin_fold(f, bucket_id, act::count, snapshot);
    (void)advance(f, bucket_id, INT_MAX);
    return f.at;
}

void catch_up(int64 bucket_id, Snapshot snapshot) {
    fold f;
    begin_fold(f, bucket_id, act::remove, snapshot);
    (void)advance(f, bucket_id, INT_MAX);
    save_checkpoint(bucket_id, f.at);
}

void look_again(int64 bucket_id) {
    Snapshot latest = pg::take_snapshot();
    checkpoint c = checkpoint_of(bucket_id, latest);
    UnregisterSnapshot(latest);
    save_checkpoint(bucket_id, {0, 0, 0, 0, 0, c.history_floor, c.changes_floor});
    ask_at_once(bucket_id);
}

} // namespace weir::kv
