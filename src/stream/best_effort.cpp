// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "pg/snapshot.hpp"
#include "stream/floors.hpp"
#include "stream/housekeeping.hpp"
#include "stream/best_effort.hpp"

namespace weir::stream {

namespace {

// An append that crosses a multiple of the run asks for a trim: a quarter of K, so that the
// table stays close to K, within bounds that keep a trim cheap.
constexpr int64 least_run = 32, greatest_run = 512;
constexpr int64 max_per_step = 4096; // rows

// What the running transaction trimmed. Nobody else is to know before it commits.
struct own_floor {
    int64 stream_id;
    int64 floor;
};
constexpr int max_own = 64;
own_floor own[max_own];
int own_count = 0;
bool callbacks_registered = false;

void settle_own(bool committed) {
    for (int i = 0; committed && i < own_count; i++)
        publish_floor(own[i].stream_id, own[i].floor);
    own_count = 0;
}

void at_end_of_transaction(XactEvent event, void *) {
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
        settle_own(event == XACT_EVENT_COMMIT);
}

void at_end_of_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
    if (event == SUBXACT_EVENT_ABORT_SUB)
        settle_own(false);
}

int64 floor_of(int64 stream_id) {
    for (int i = 0; i < own_count; i++) {
        if (own[i].stream_id == stream_id)
            return own[i].floor;
    }
    return trimmed_floor(stream_id);
}

void remember_own_floor(int64 stream_id, int64 floor) {
    if (!callbacks_registered) {
        RegisterXactCallback(at_end_of_transaction, nullptr);
        RegisterSubXactCallback(at_end_of_subtransaction, nullptr);
        callbacks_registered = true;
    }
    int at = 0;
    while (at < own_count && own[at].stream_id != stream_id)
        at++;
    if (at == max_own)
        return;
    own_count = at == own_count ? at + 1 : own_count;
    own[at] = {stream_id, floor};
}

// The newest row visible to the snapshot; frames are plentiful, so not far back.
bool newest_visible(log::table &unlogged, int64 stream_id, Snapshot snapshot, log::purpose why,
                    best_effort_prefix &out) {
    log::scan s;
    log::begin(s, unlogged, stream_id, -1, core::greatest, BackwardScanDirection, snapshot, why);
    bool found = log::next(s) == log::step::frame;
    if (found)
        out = *log::prefix_of<best_effort_prefix>(s);
    log::end(s);
    return found;
}

} // namespace

retention retained(log::table &unlogged, int64 stream_id, Snapshot snapshot, log::purpose why) {
    retention r{};
    r.after = -1;
    if (!newest_visible(unlogged, stream_id, snapshot, why, r.newest))
        return r;
    r.any = true;
    r.newest_id = r.newest.id;
    r.after = r.newest.floor;
    r.above_ordinal = ordinal_of(r.newest) - r.newest.maxlen;
    return r;
}

retention retained(int64 stream_id, Snapshot snapshot) {
    log::table unlogged = log::open(best_effort_source, AccessShareLock);
    retention r = retained(unlogged, stream_id, snapshot, log::purpose::reading);
    log::close(unlogged);
    return r;
}

bool is_worth_a_trim(int64 stream_id, int64 last_ordinal, int64 maxlen, int count) {
    int64 run = maxlen / 4 < least_run ? least_run : maxlen / 4 > greatest_run ? greatest_run : maxlen / 4;
    // Streams that began together do not trim together: a thousand of them would keep others waiting for 200 ms.
    int64 last = last_ordinal + stream_id * 37 % run;
    return last / run != (last - count) / run;
}

worker::outcome trim_step(int64 stream_id) {
    using worker::outcome;
    outcome out;
    prepare_floors();
    log::table unlogged = log::open(best_effort_source, RowExclusiveLock);
    Snapshot snapshot = pg::take_snapshot();
    retention r = retained(unlogged, stream_id, snapshot, log::purpose::upkeep);
    if (r.any) {
        int64 now_ms = log::clock::now_us() / 1000, dead = 0;
        int64 known = floor_of(stream_id), floor = known > r.after ? known : r.after;
        log::scan s;
        log::begin(s, unlogged, stream_id, floor, r.newest_id - 1, ForwardScanDirection, snapshot,
                   log::purpose::upkeep);
        int64 left = max_per_step;
        for (; left > 0 && log::next(s) == log::step::frame; left--) {
            best_effort_prefix const *row = log::prefix_of<best_effort_prefix>(s);
            if (is_retained(*row, r, now_ms))
                break;
            log::deletion result = log::remove(s);
            if (result == log::deletion::blocked) { // by somebody who trims as well, or drops
                out.what = outcome::what::not_now;
                break;
            }
            dead += result == log::deletion::done;
            floor = s.id > floor ? s.id : floor;
        }
        log::end(s);
        if (left == 0)
            out.what = outcome::what::more;
        remember_own_floor(stream_id, floor);
        ask_to_vacuum(dead);
    }
    UnregisterSnapshot(snapshot);
    log::close(unlogged);
    return out;
}

int64 next_with_best_effort_rows(int64 after) {
    int64 next = -1;
    log::table unlogged = log::open(best_effort_source, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, log::key_attribute, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(after));
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    SysScanDesc scan = systable_beginscan_ordered(unlogged.heap, unlogged.index, latest, 1, &key);
    if (HeapTuple row = systable_getnext_ordered(scan, ForwardScanDirection))
        next = log::integer_of(row, log::key_attribute, unlogged.heap);
    systable_endscan_ordered(scan);
    UnregisterSnapshot(latest);
    log::close(unlogged);
    return next;
}

} // namespace weir::stream
