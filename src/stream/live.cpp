// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "log/newest.hpp"
#include "stream/live.hpp"
#include "worker/worker.hpp"

namespace weir::stream {

namespace {

// An append that crosses a multiple of the run trims: of a quarter of K, so that the
// table stays close to K, within bounds that keep a trim cheap.
constexpr int64 least_run = 32, greatest_run = 512;
constexpr int64 most_a_run = 1024; // rows one append deletes at the most, beside as many as it adds

// What this backend knows of floors: a hint, so collisions just overwrite. What the
// running transaction trimmed is only for itself until it commits.
struct known_floor {
    int64 stream_id;
    int64 floor;
    int64 own; // as of the running transaction, -1: it did not trim
};
constexpr int floors = 1024;
known_floor known[floors];

constexpr int most_own = 64;
int16 own[most_own]; // slots that hold something of the running transaction
int own_count = 0;
bool callbacks_registered = false;

void settle_own(bool committed) {
    for (int i = 0; i < own_count; i++) {
        known_floor &k = known[own[i]];
        if (committed && k.own > k.floor)
            k.floor = k.own;
        k.own = -1;
    }
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

known_floor &slot_of(int64 stream_id) { return known[static_cast<uint64>(stream_id) % floors]; }

void remember_own_floor(int64 stream_id, int64 floor) {
    if (!callbacks_registered) {
        RegisterXactCallback(at_end_of_transaction, nullptr);
        RegisterSubXactCallback(at_end_of_subtransaction, nullptr);
        callbacks_registered = true;
    }
    known_floor &k = slot_of(stream_id);
    if (k.stream_id != stream_id) {
        if (k.stream_id != 0 && k.own >= 0)
            return; // somebody else's, and still needed
        k = {stream_id, -1, -1};
    }
    if (k.own < 0) {
        if (own_count == most_own)
            return;
        own[own_count++] = static_cast<int16>(&k - known);
    }
    k.own = floor;
}

int64 own_floor(int64 stream_id) {
    known_floor const &k = slot_of(stream_id);
    return k.stream_id == stream_id ? k.own : -1;
}

// The newest row visible to the snapshot; frames are plentiful, so not far back.
bool newest_visible(log::table &live, int64 stream_id, Snapshot snapshot, log::purpose why, live_prefix &out) {
    log::scan s;
    log::begin(s, live, stream_id, -1, core::greatest, BackwardScanDirection, snapshot, why);
    bool found = log::next(s) == log::step::frame;
    if (found)
        out = *log::prefix_of<live_prefix>(s);
    log::end(s);
    return found;
}

} // namespace

int64 trimmed_floor(int64 stream_id) {
    known_floor const &k = slot_of(stream_id);
    return k.stream_id == stream_id ? k.floor : -1;
}

retention retained(log::table &live, int64 stream_id, Snapshot snapshot, log::purpose why) {
    retention r{};
    r.after = -1;
    if (!newest_visible(live, stream_id, snapshot, why, r.newest))
        return r;
    r.any = true;
    r.newest_id = r.newest.id;
    r.after = r.newest.floor;
    r.above_ordinal = ordinal_of(r.newest) - r.newest.maxlen;
    return r;
}

retention retained(int64 stream_id, Snapshot snapshot) {
    log::table live = log::open(live_source, AccessShareLock);
    retention r = retained(live, stream_id, snapshot, log::purpose::reading);
    log::close(live);
    return r;
}

void trim_live(int64 stream_id, int64 last_ordinal, int64 maxlen, int count) {
    int64 run = maxlen / 4 < least_run ? least_run : maxlen / 4 > greatest_run ? greatest_run : maxlen / 4;
    // Streams that began together do not trim together: a thousand of them would keep their writers for 200 ms.
    int64 last = last_ordinal + stream_id * 37 % run;
    if (last / run == (last - count) / run)
        return;
    log::table live = log::open(live_source, RowExclusiveLock);
    Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
    retention r = retained(live, stream_id, snapshot, log::purpose::upkeep);
    if (r.any) {
        int64 now_ms = log::clock::now_us() / 1000, dead = 0;
        int64 floor = r.after;
        for (int64 reached : {trimmed_floor(stream_id), own_floor(stream_id)})
            floor = reached > floor ? reached : floor;
        log::scan s;
        log::begin(s, live, stream_id, floor, r.newest_id - 1, ForwardScanDirection, snapshot, log::purpose::upkeep);
        int64 limit = most_a_run + count; // so that what was held up is made good
        while (limit-- > 0 && log::next(s) == log::step::frame) {
            live_prefix const *row = log::prefix_of<live_prefix>(s);
            if (is_retained(*row, r, now_ms))
                break;
            log::deletion result = log::remove(s);
            if (result == log::deletion::blocked)
                break;
            dead += result == log::deletion::done;
            floor = s.id > floor ? s.id : floor;
        }
        log::end(s);
        remember_own_floor(stream_id, floor);
        worker::report_dead_rows(dead);
    }
    UnregisterSnapshot(snapshot);
    log::close(live);
}

} // namespace weir::stream
