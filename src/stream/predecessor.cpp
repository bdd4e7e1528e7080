// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/marks.hpp"
#include "log/newest.hpp"
#include "log/ready.hpp"
#include "log/writer.hpp"
#include "stream/floors.hpp"
#include "stream/frame.hpp"
#include "stream/predecessor.hpp"

namespace weir::stream {

namespace {

log_prefix const &as_log(log::entry const &e) { return *reinterpret_cast<log_prefix const *>(e.prefix); }
best_effort_prefix const &as_best_effort(log::entry const &e) {
    return *reinterpret_cast<best_effort_prefix const *>(e.prefix);
}

bool is_control_record(char m) {
    return m == static_cast<char>(mode::close) || m == static_cast<char>(mode::dropped) ||
           m == static_cast<char>(mode::ended);
}

bool decides(log::entry const &e) { return is_control_record(as_log(e).mode) || (as_log(e).ordinal & behind_own_drop); }
bool decides_best_effort(log::entry const &e) { return as_best_effort(e).ordinal & behind_own_drop; }

// A close or drop that was rolled back never happened, nor what stood on it. Other
// logged rows that were rolled back are as good a predecessor as any.
bool is_undone(log::entry const &e) { return decides(e) && log::status_of(e.xmin) == log::status::aborted; }

// Ordinals of best-effort frames decide what is retained, so here those that were
// rolled back do not count, as far as that is known by now.
bool is_undone_best_effort(log::entry const &e) {
    return TransactionIdIsNormal(e.xmin) && !TransactionIdIsCurrentTransactionId(e.xmin) &&
           TransactionIdDidAbort(e.xmin);
}
constexpr int max_undone = 1000; // looked past; a writer that rolls back all the time is none of our trouble

// A mark of a close, a drop or an end that is not undone.
void apply_control_record(predecessor &p, log::entry const &mark) {
    log_prefix const &row = as_log(mark);
    bool deleted = TransactionIdIsValid(mark.xmax);
    if (log::status_of(mark.xmin) == log::status::in_progress) {
        p.wait_for = mark.xmin;
    } else if (deleted && log::status_of(mark.xmax) == log::status::in_progress) {
        p.wait_for = mark.xmax;
    } else if (deleted && log::status_of(mark.xmax) == log::status::committed) {
        p.purged = true;
    } else if (row.mode == static_cast<char>(mode::close)) {
        p.closed = true;
        p.closed_at = row.id;
    } else if (row.mode == static_cast<char>(mode::ended)) {
        p.ended = true;
    } else { // what follows is a new stream
        p.ordinal = 0;
        p.document = {};
        p.behind_own_drop = TransactionIdIsCurrentTransactionId(mark.xmin);
    }
}

// A row that stands on a drop of its transaction.
void apply_row_behind_drop(predecessor &p, log::entry const &row) {
    if (TransactionIdIsCurrentTransactionId(row.xmin))
        p.behind_own_drop = true;
    else if (log::status_of(row.xmin) == log::status::in_progress)
        p.wait_for = row.xmin;
}

bool is_alive(log::entry const &e) {
    return e.readable && (!TransactionIdIsValid(e.xmax) || log::status_of(e.xmax) != log::status::committed);
}

} // namespace

tables open_target(bool best_effort) {
    tables t{};
    t.best_effort = best_effort;
    (best_effort ? t.unlogged : t.logged) = log::open(best_effort ? best_effort_source : log_source, RowExclusiveLock);
    (void)GetCurrentTransactionId(); // may wait or write, so not under the lock
    doorbell::prepare();
    if (best_effort)
        prepare_floors();
    return t;
}

void open_other(tables &t) {
    (t.best_effort ? t.logged : t.unlogged) =
        log::open(t.best_effort ? log_source : best_effort_source, AccessShareLock);
    t.both = true;
}

void close_tables(tables &t) {
    if (t.both || !t.best_effort)
        log::close(t.logged);
    if (t.both || t.best_effort)
        log::close(t.unlogged);
}

void make_ready(tables const &t, log::rows const &rows) {
    log::until_ready([&] {
        log::make_ready(rows);
        if (t.both || !t.best_effort)
            log::make_ready(t.logged);
        if (t.both || t.best_effort)
            log::make_ready(t.unlogged);
    });
}

predecessor look_back(tables const &t, int64 stream_id) {
    predecessor p{};
    p.best_effort_floor = -1;
    log::entry logged, unlogged;
    if (t.both || !t.best_effort)
        logged = log::newest(t.logged, stream_id, is_undone);
    if (t.both || t.best_effort)
        unlogged = log::newest(t.unlogged, stream_id, is_undone_best_effort, max_undone);
    p.id = logged.id > unlogged.id ? logged.id : unlogged.id;
    p.target_empty = (t.best_effort ? unlogged.id : logged.id) < 0;
    p.alive = is_alive(logged) || is_alive(unlogged);
    if (logged.readable) {
        p.ordinal = ordinal_of(as_log(logged));
        p.document = core::document_bound::unpack(as_log(logged).version);
        if (is_control_record(as_log(logged).mode))
            apply_control_record(p, logged);
        else if (decides(logged))
            apply_row_behind_drop(p, logged);
    }
    if (unlogged.readable && decides_best_effort(unlogged))
        apply_row_behind_drop(p, unlogged);
    if (is_alive(unlogged)) { // a drop deletes it: what comes then starts anew
        best_effort_prefix const &row = as_best_effort(unlogged);
        p.best_effort_ordinal = ordinal_of(row);
        p.best_effort_floor = row.floor;
        p.best_effort_maxlen = row.maxlen;
        p.rate = {row.rate, row.window_start, row.window_count};
    }
    return p;
}

} // namespace weir::stream
