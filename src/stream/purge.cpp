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
#include "pg/spi.hpp"
#include "stream/frame.hpp"
#include "stream/housekeeping.hpp"
#include "stream/registry.hpp"
#include "stream/state.hpp"

namespace weir::stream {

namespace {

namespace spi = pg::spi;

constexpr int at_once = 8;
constexpr int64 remembered_ms = 86400000;
constexpr int64 look_again_us = 600 * USECS_PER_SEC;

constinit spi::statement oldest_statement{
    "SELECT stream_id, name FROM weir.stream WHERE dropped_at OPERATOR(weir.<) weir.to_position($1)"
    " ORDER BY dropped_at LIMIT 8 OFFSET $2",
    2,
    {INT8OID, INT8OID}};

constinit spi::statement forget_statement{
    "DELETE FROM weir.stream WHERE stream_id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}};

// Deletes the drop mark if nothing has come behind it; waits for nobody.
bool remove_mark(log::table &logged, log::table &live, int64 stream_id) {
    TM_FailureData ignored;
    bool removed = false;
    (void)GetCurrentTransactionId();
    log::until_ready([&] {
        log::make_deletion_ready(logged.heap);
        log::make_ready(logged);
        log::make_ready(live);
    });
    log::lock(stream_id);
    log::entry mark = log::newest(logged, stream_id);
    if (mark.readable && mark.id > log::newest(live, stream_id).id &&
        reinterpret_cast<log_prefix const *>(mark.prefix)->mode == static_cast<char>(mode::dropped) &&
        (!TransactionIdIsNormal(mark.xmin) || TransactionIdDidCommit(mark.xmin)) && !TransactionIdIsValid(mark.xmax))
        removed = table_tuple_delete(logged.heap, &mark.tid, GetCurrentCommandId(true), SnapshotAny, InvalidSnapshot,
                                     false, &ignored, false) == TM_Ok;
    log::unlock(stream_id);
    return removed;
}

struct candidate {
    int64 stream_id;
    std::string_view name;
};

int find_candidates(int64 passed, candidate *out) {
    spi::session session = spi::begin(log::relation_oid(log_source));
    Datum values[] = {Int64GetDatum(core::make(log::clock::now_us() / 1000 - remembered_ms, 0)), Int64GetDatum(passed)};
    auto count = static_cast<int>(spi::write(oldest_statement, values, nullptr));
    MemoryContext inner = MemoryContextSwitchTo(session.memory);
    for (int i = 0; i < count; i++) {
        bool null = false;
        out[i].stream_id = DatumGetInt64(spi::column(i, 1, &null));
        text *copy = DatumGetTextPCopy(spi::column(i, 2, &null));
        out[i].name = {VARDATA(copy), VARSIZE(copy) - VARHDRSZ};
    }
    MemoryContextSwitchTo(inner);
    spi::end(session);
    return count;
}

// Under the maintenance lock, whose holder alone makes a name be dropped or not:
// whether it still is.
enum class use { dropped, again, unknown };

use use_of(int64 stream_id) {
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    use result = use::unknown;
    if (is_entered_as_dropped(stream_id, latest))
        result = state_of(stream_id, latest).there ? use::again : use::dropped;
    UnregisterSnapshot(latest);
    return result;
}

// What is done stands in nobody's way any more.
enum class progress { none, used_again, forgotten };

progress forget(log::table &logged, log::table &live, candidate const &c) {
    if (!pg::try_lock_key(pg::lock_class::maintenance, 0, c.stream_id))
        return progress::none;
    switch (use_of(c.stream_id)) {
    case use::dropped:
        if (remove_mark(logged, live, c.stream_id)) {
            spi::session session = spi::begin(log::relation_oid(log_source));
            Datum value = Int64GetDatum(c.stream_id);
            spi::write(forget_statement, &value, nullptr);
            spi::end(session);
            return progress::forgotten;
        }
        break;
    case use::again: // not a candidate any more
        replace(c.name, c.stream_id, -1);
        return progress::used_again;
    case use::unknown:
        break;
    }
    return progress::none;
}

} // namespace

worker::outcome forget_names_step(int64) {
    static int64 passed = 0; // candidates that could not be forgotten, and keep no others waiting
    candidate candidates[at_once];
    int count = find_candidates(passed, candidates);
    if (count == 0) {
        passed = 0;
        return {worker::outcome::what::done, look_again_us};
    }
    bool any = false;
    log::table logged = log::open(log_source, RowExclusiveLock);
    log::table live = log::open(live_source, AccessShareLock);
    for (int i = 0; i < count; i++) {
        progress made = forget(logged, live, candidates[i]);
        passed += made == progress::none;
        any |= made == progress::forgotten;
    }
    log::close(logged);
    log::close(live);
    if (any)
        tell_others_to_forget();
    if (count == at_once)
        return {worker::outcome::what::more};
    passed = 0;
    return {worker::outcome::what::done, look_again_us};
}

} // namespace weir::stream
