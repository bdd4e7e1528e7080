// SPDX-License-Identifier: PostgreSQL
//
// Job "expiry". What has expired is so for readers by the clock; here it becomes a change that those who watch get in
// its order. A put that comes meanwhile wins: the key is only tried for, and looked at again with it held. A tombstone
// that has been there for a day goes, with all that was before it, and moves the floors.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/checkpoint.hpp"
#include "kv/due.hpp"
#include "kv/expire.hpp"
#include "kv/names.hpp"
#include "kv/request.hpp"
#include "kv/settled.hpp"
#include "kv/versions.hpp"
#include "kv/writer.hpp"
#include "log/clock.hpp"
#include "log/scan.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"

namespace weir::kv {

namespace {

constexpr int at_once = 64; // a step
constexpr int64 retry_us = USECS_PER_SEC;

bool is_newest(int64 bucket_id, int64 revision, Datum key) {
    Snapshot latest = pg::take_snapshot();
    versions v;
    open_versions(v);
    bool newest = find_newest(v, bucket_id, key, core::greatest, latest) && prefix_of(v.slot).revision == revision;
    close_versions(v);
    UnregisterSnapshot(latest);
    return newest;
}

// The change itself. False: it is not there any more.
bool find_change(due const &d, enum op &what, Datum &key) {
    Snapshot latest = pg::take_snapshot();
    log::table t = log::open(log_source, AccessShareLock);
    log::scan s;
    log::begin(s, t, d.bucket_id, d.revision - 1, d.revision, BackwardScanDirection, latest, log::purpose::upkeep);
    bool found = log::next(s) == log::step::frame;
    if (found) {
        what = op_of(prefix_of(s.slot));
        key = pg::to_text(key_of(s.slot));
    }
    log::end(s);
    log::close(t);
    UnregisterSnapshot(latest);
    return found;
}

// All of a key that is gone. Under the maintenance lock and the key's.
void remove_all(int64 bucket_id, int64 revision, Datum key, checkpoint &c) {
    (void)log::locked_oid(log_source, RowExclusiveLock);
    Snapshot latest = pg::take_snapshot();
    versions v;
    open_versions(v);
    seek(v, bucket_id, key, core::greatest, latest);
    while (next_older(v)) {
        TM_FailureData ignored;
        int64 size = size_of(v.slot);
        if (table_tuple_delete(v.heap, &v.slot->tts_tid, GetCurrentCommandId(true), latest, InvalidSnapshot, false,
                               &ignored, false) != TM_Ok)
            continue;
        c.kept--;
        c.bytes -= size;
    }
    close_versions(v);
    UnregisterSnapshot(latest);
    c.history_floor = revision > c.history_floor ? revision : c.history_floor;
    c.changes_floor = revision > c.changes_floor ? revision : c.changes_floor;
}

// The bucket's newest row stays; it is looked at again in another day.
expiry bury(due const &d, Datum key) {
    if (!pg::try_lock_key(pg::lock_class::maintenance, 0, d.bucket_id) ||
        !try_lock_key(d.bucket_id, pg::view_of(key), pg::hold::alone))
        return expiry::in_the_way;
    if (!is_newest(d.bucket_id, d.revision, key))
        return expiry::overtaken;
    Snapshot latest = pg::take_snapshot();
    checkpoint c = checkpoint_of(d.bucket_id, latest);
    UnregisterSnapshot(latest);
    if (newest_position(d.bucket_id) <= d.revision || c.position < d.revision) {
        enter_due(d.due_ms + tombstone_ms, d.bucket_id, d.revision, 1);
        return expiry::written;
    }
    remove_all(d.bucket_id, d.revision, key, c);
    save_checkpoint(d.bucket_id, c);
    return expiry::written;
}

expiry settle(due const &d) {
    enum op what = op::put;
    Datum key = 0;
    if (!find_change(d, what, key))
        return expiry::overtaken;
    return what == op::put ? expire(d.bucket_id, d.revision, pg::view_of(key)) : bury(d, key);
}

} // namespace

expiry expire(int64 bucket_id, int64 revision, std::string_view key) {
    request r{};
    r.op = op::expire;
    r.count = 1;
    r.headers.isnull = true;
    Datum text = pg::to_text(key);
    r.keys = &text;
    if (!is_newest(bucket_id, revision, text))
        return expiry::overtaken;
    if (!try_lock_key(bucket_id, key, pg::hold::alone))
        return expiry::in_the_way;
    if (!is_newest(bucket_id, revision, text))
        return expiry::overtaken;
    Snapshot latest = pg::take_snapshot();
    // Looking other names up may take the memory of this one away.
    r.bucket = pg::view_of(pg::to_text(name::name_of(bucket_id, latest)));
    UnregisterSnapshot(latest);
    (void)write(bucket_id, r);
    return expiry::written;
}

worker::outcome expire_step(int64) {
    using worker::outcome;
    static int64 passed = 0; // that are in use by somebody, and keep no others waiting
    due list[at_once];
    int64 now_ms = log::clock::now_us() / 1000;
    int count = list_due(now_ms, passed, list, at_once);
    for (int i = 0; i < count; i++) {
        if (settle(list[i]) == expiry::in_the_way)
            passed++;
        else
            remove_due(list[i]);
    }
    if (count == at_once)
        return {outcome::what::more};
    int64 next_ms = next_due(), next_us = next_ms < 0 ? -1 : (next_ms - now_ms) * 1000;
    if (passed > 0 && (next_us < 0 || next_us < retry_us))
        next_us = retry_us;
    passed = 0;
    return {outcome::what::done, next_us < 0 && next_ms >= 0 ? 0 : next_us};
}

} // namespace weir::kv
