// SPDX-License-Identifier: PostgreSQL
//
// A dropped stream leaves its name and a mark behind, so that a later stream of
// that name starts above it whatever the clock does. After a day that is not
// worth the space any more: the housekeeper then forgets it, a few such names a step.
//
// The mark is deleted under the log's lock, where it is still the newest row. A
// writer that knows the id finds it being deleted, waits for the outcome and
// looks the name up again (writer.cpp).
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "log/lock.hpp"
#include "log/newest.hpp"
#include "log/ready.hpp"
#include "pg/key_lock.hpp"
#include "pg/lock.hpp"
#include "stream/frame.hpp"
#include "stream/housekeeping.hpp"
#include "stream/names.hpp"
#include "stream/state.hpp"

namespace weir::stream {

namespace {

constexpr int64 remembered_ms = 86400000;
constexpr int64 look_again_us = 600 * USECS_PER_SEC;

bool is_last_mark(char m) { return m == static_cast<char>(mode::dropped) || m == static_cast<char>(mode::ended); }

// Deletes the mark of a drop or an end if nothing has come behind it; waits for nobody.
bool remove_mark(log::table &logged, log::table &unlogged, int64 stream_id) {
    TM_FailureData ignored;
    bool removed = false;
    (void)GetCurrentTransactionId();
    log::until_ready([&] {
        log::make_deletion_ready(logged.heap);
        log::make_ready(logged);
        log::make_ready(unlogged);
    });
    log::lock(stream_id);
    log::entry mark = log::newest(logged, stream_id);
    if (mark.readable && mark.id > log::newest(unlogged, stream_id).id &&
        is_last_mark(reinterpret_cast<log_prefix const *>(mark.prefix)->mode) &&
        (!TransactionIdIsNormal(mark.xmin) || TransactionIdDidCommit(mark.xmin)) && !TransactionIdIsValid(mark.xmax))
        removed = table_tuple_delete(logged.heap, &mark.tid, GetCurrentCommandId(true), SnapshotAny, InvalidSnapshot,
                                     false, &ignored, false) == TM_Ok;
    log::unlock(stream_id);
    return removed;
}

// Under the maintenance lock, whose holder alone makes a name be dropped or not:
// whether it still is.
enum class use { dropped, again, unknown };

use use_of(name::kind const &of, int64 stream_id) {
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    use result = use::unknown;
    if (name::is_entered_as_dropped(stream_id, latest))
        result = &of == &streams && state_of(stream_id, latest).there ? use::again : use::dropped;
    UnregisterSnapshot(latest);
    return result;
}

// What is done stands in nobody's way any more.
enum class progress { none, used_again, forgotten };

progress forget(name::kind const &of, log::table &logged, log::table &unlogged, name::dropped const &c) {
    if (!pg::try_lock_key(pg::lock_class::maintenance, 0, c.id))
        return progress::none;
    switch (use_of(of, c.id)) {
    case use::dropped:
        if (remove_mark(logged, unlogged, c.id)) {
            name::forget(c.id);
            return progress::forgotten;
        }
        break;
    case use::again: // not a candidate any more
        name::replace(streams, c.name, c.id, -1);
        return progress::used_again;
    case use::unknown:
        break;
    }
    return progress::none;
}

// True: there may be more. passed: candidates that could not be forgotten, and keep no others waiting.
bool forget_some(name::kind const &of, int64 &passed) {
    name::dropped candidates[name::dropped_at_once];
    int64 below = core::make(log::clock::now_us() / 1000 - remembered_ms, 0);
    int count = name::list_dropped(of, below, passed, candidates);
    if (count == 0) {
        passed = 0;
        return false;
    }
    bool any = false;
    log::table logged = log::open(log_source, RowExclusiveLock);
    log::table unlogged = log::open(best_effort_source, AccessShareLock);
    for (int i = 0; i < count; i++) {
        progress made = forget(of, logged, unlogged, candidates[i]);
        passed += made == progress::none;
        any |= made == progress::forgotten;
    }
    log::close(logged);
    log::close(unlogged);
    if (any)
        name::tell_others_to_forget();
    if (count == name::dropped_at_once)
        return true;
    passed = 0;
    return false;
}

} // namespace

worker::outcome forget_names_step(int64) {
    static int64 passed = 0, passed_ended = 0;
    bool more = forget_some(streams, passed);
    more |= forget_some(ended_streams, passed_ended);
    if (more)
        return {worker::outcome::what::more};
    return {worker::outcome::what::done, look_again_us};
}

} // namespace weir::stream
