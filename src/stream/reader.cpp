// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "log/newest.hpp"
#include "stream/fold.hpp"
#include "stream/reader.hpp"
#include "stream/trimmed.hpp"

namespace weir::stream {

namespace {

// The next best-effort row that is retained. An unsettled one stops the walk even
// if it will not be retained: whether it is not is not known yet.
log::step next_unlogged(reader &r) {
    for (;;) {
        log::step step = log::next(r.unlogged);
        if (step != log::step::frame || is_retained(*log::prefix_of<best_effort_prefix>(r.unlogged), r.kept, r.now_ms))
            return step;
    }
}

void step_on(reader &r, log::scan &s) {
    if (&s == &r.unlogged)
        r.unlogged_step = next_unlogged(r);
    else
        r.logged_step = log::next(s);
}

bool comes_first(reader const &r, int64 a, int64 b) { return ScanDirectionIsForward(r.direction) ? a < b : a > b; }

// With a cursor for each table.
void open_reader_at(reader &r, int64 stream_id, int64 after_logged, int64 after_unlogged, int64 upto,
                    bool with_best_effort, ScanDirection direction, Snapshot snapshot) {
    r = {};
    r.stream_id = stream_id;
    r.snapshot = snapshot;
    r.direction = direction;
    r.with_best_effort = with_best_effort && !RecoveryInProgress();
    r.unsettled = -1;
    r.unlogged_step = log::step::end;
    r.logged_table = log::open(log_source, AccessShareLock);
    log::track_reading(r.logged_table, snapshot);
    log::begin(r.logged, r.logged_table, stream_id, after_logged, upto, direction, snapshot);
    if (r.with_best_effort) {
        r.unlogged_table = log::open(best_effort_source, AccessShareLock);
        r.now_ms = log::clock::now_us() / 1000;
        r.kept = retained(r.unlogged_table, stream_id, snapshot, log::purpose::reading);
        if (after_unlogged < r.kept.after)
            after_unlogged = r.kept.after;
        log::track_reading(r.unlogged_table, snapshot);
        log::begin(r.unlogged, r.unlogged_table, stream_id, after_unlogged, upto, direction, snapshot);
    }
}

} // namespace

void open_reader(reader &r, int64 stream_id, int64 after, int64 upto, bool with_best_effort, ScanDirection direction,
                 Snapshot snapshot) {
    int64 gone = trimmed_from(stream_id, snapshot).below - 1;
    open_reader_at(r, stream_id, gone > after ? gone : after, after, upto, with_best_effort, direction, snapshot);
}

bool advance(reader &r) {
    if (!r.primed) {
        step_on(r, r.logged);
        if (r.with_best_effort)
            step_on(r, r.unlogged);
        r.primed = true;
    } else if (r.at != nullptr) {
        step_on(r, *r.at);
    }
    bool has_logged = r.logged_step != log::step::end, has_unlogged = r.unlogged_step != log::step::end;
    if (!has_logged && !has_unlogged) {
        r.at = nullptr;
        return false;
    }
    r.best_effort = has_unlogged && (!has_logged || comes_first(r, r.unlogged.id, r.logged.id));
    r.at = r.best_effort ? &r.unlogged : &r.logged;
    if ((r.best_effort ? r.unlogged_step : r.logged_step) == log::step::unsettled) {
        r.unsettled = r.at->id;
        r.blocker = r.at->blocker;
        r.at = nullptr;
        return false;
    }
    return true;
}

void close_reader(reader &r) {
    log::end(r.logged);
    log::close(r.logged_table);
    if (r.with_best_effort) {
        log::end(r.unlogged);
        log::close(r.unlogged_table);
    }
}

bool is_for_readers(reader const &r) {
    if (r.best_effort)
        return true;
    log_prefix const &row = *log::prefix_of<log_prefix>(*r.at);
    return is_frame(row) || row.mode == static_cast<char>(mode::close);
}

frontier find_frontier(int64 stream_id, Snapshot snapshot, bool with_best_effort) {
    // Up to the newest checkpoint all is settled in the logged table; best-effort
    // rows are few.
    int64 settled = checkpoint_position(stream_id, snapshot);
    frontier f{settled, -1, InvalidTransactionId};
    reader r;
    open_reader_at(r, stream_id, settled, -1, core::greatest, with_best_effort, ForwardScanDirection, snapshot);
    while (advance(r)) {
        if ((r.best_effort || !is_guard(*log::prefix_of<log_prefix>(*r.at))) && r.at->id > f.head)
            f.head = r.at->id;
    }
    f.unsettled = r.unsettled;
    f.blocker = r.blocker;
    if (f.unsettled >= 0 && f.head >= f.unsettled) // a best-effort frame behind the checkpoint
        f.head = f.unsettled - 1;
    // A frame that has expired was settled all the same.
    int64 newest = r.kept.any ? r.kept.newest_id - is_guard(r.kept.newest) : -1;
    if (newest > f.head && (f.unsettled < 0 || newest < f.unsettled))
        f.head = newest;
    close_reader(r);
    return f;
}

int64 newest_position(int64 stream_id) {
    log::table logged = log::open(log_source, AccessShareLock);
    int64 newest = log::newest(logged, stream_id).id;
    log::close(logged);
    if (!RecoveryInProgress()) {
        log::table unlogged = log::open(best_effort_source, AccessShareLock);
        int64 unlogged_newest = log::newest(unlogged, stream_id).id;
        log::close(unlogged);
        if (unlogged_newest > newest)
            newest = unlogged_newest;
    }
    return newest;
}

} // namespace weir::stream
