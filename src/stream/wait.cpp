// SPDX-License-Identifier: PostgreSQL
//
// CALL weir.wait(): asleep until something settled lies after a cursor.
//
//        +--> listen --> look (a transaction of its own) --> found, or out of time: return
//        |                          | nothing
//        +---- rung, or poll ---- sleep (no snapshot, no lock, no xid)
//
// Listening comes before looking, so what is settled in between rings. Looking again
// after a while without having been rung covers what rings nobody here:
// COMMIT PREPARED, a standby's replay, a server whose doorbell is off.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "doorbell/bells.hpp"
#include "pg/function.hpp"
#include "pg/settings.hpp"
#include "pg/text.hpp"
#include "stream/reader.hpp"
#include "stream/registry.hpp"
#include "stream/request.hpp"
#include "stream/state.hpp"

namespace core = weir::core;
namespace doorbell = weir::doorbell;
namespace pg = weir::pg;
namespace stream = weir::stream;

namespace {

constexpr int64 standby_poll_us = 20 * 1000;  // replay rings nobody, but its progress is cheap to see
constexpr int64 crowded_poll_us = 100 * 1000; // all bells are taken

struct waited_for {
    std::string_view name;
    int64 after;
    uint32 bell;
    bool looked_at;
    bool was_there; // when first looked at
};

struct waiting {
    waited_for *streams;
    int count;
    TimestampTz deadline;
};

[[noreturn]] void refuse_block() {
    ereport(ERROR,
            (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION), errmsg("weir.wait() cannot run inside a transaction block"),
             errdetail("It holds no snapshot while it waits, which a transaction block does."),
             errhint("Call it by itself, with CALL, outside of functions and BEGIN … COMMIT.")));
    pg_unreachable();
}

int64 timeout_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("timeout_ms must not be null")));
    int32 timeout_ms = PG_GETARG_INT32(n);
    if (timeout_ms < 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("timeout_ms must not be negative")));
    return timeout_ms;
}

// Arguments live as long as the call; the transactions in between take nothing of them.
waited_for one(Datum name, int64 after) {
    text *copy = DatumGetTextPCopy(name);
    std::string_view view{VARDATA(copy), VARSIZE(copy) - VARHDRSZ};
    stream::check_name(view);
    return {view, after, doorbell::bell_of(view), false, false};
}

waiting single(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(0))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("stream must not be null")));
    auto *streams = static_cast<waited_for *>(palloc(sizeof(waited_for)));
    streams[0] = one(PG_GETARG_DATUM(0), PG_ARGISNULL(1) ? -1 : PG_GETARG_INT64(1));
    return {streams, 1, 0};
}

waiting several(FunctionCallInfo fcinfo) {
    Datum *names = nullptr, *cursors = nullptr;
    bool *cursor_nulls = nullptr;
    int count = stream::stream_array_arguments(fcinfo, &names, &cursors, &cursor_nulls);
    if (count == 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("streams must not be empty")));
    auto *streams = static_cast<waited_for *>(palloc(sizeof(waited_for) * static_cast<Size>(count)));
    for (int i = 0; i < count; i++)
        streams[i] = one(names[i], cursors == nullptr || cursor_nulls[i] ? -1 : DatumGetInt64(cursors[i]));
    return {streams, count, 0};
}

// Something settled after the cursor, or nothing will ever be.
bool is_ready(waited_for &w, Snapshot snapshot) {
    int64 stream_id = stream::find(w.name, snapshot);
    stream::state now{};
    if (stream_id != 0)
        now = stream::state_of(stream_id, snapshot);
    bool was_dropped = w.looked_at && w.was_there && !now.there;
    w.was_there = now.there;
    w.looked_at = true;
    if (was_dropped)
        return true;
    if (!now.there)
        return false;
    stream::reader r;
    bool found = now.closed && now.newest_logged <= w.after;
    stream::open_reader(r, stream_id, w.after, core::greatest, true, ForwardScanDirection, snapshot);
    while (!found && stream::advance(r))
        found = stream::is_for_readers(r);
    stream::close_reader(r);
    if (!found)
        stream::check_not_ahead(w.name, stream_id, w.after);
    return found;
}

bool is_any_ready(waiting &w) {
    PushActiveSnapshot(GetTransactionSnapshot());
    bool ready = false;
    for (int i = 0; i < w.count && !ready; i++)
        ready = is_ready(w.streams[i], GetActiveSnapshot());
    PopActiveSnapshot();
    return ready;
}

int64 poll_us(bool has_slot) {
    if (RecoveryInProgress())
        return standby_poll_us;
    int64 poll = pg::settings::poll_interval * INT64CONST(1000);
    return has_slot || poll < crowded_poll_us ? poll : crowded_poll_us;
}

XLogRecPtr replayed() { return RecoveryInProgress() ? GetXLogReplayRecPtr(nullptr) : InvalidXLogRecPtr; }

// Until rung, or it is time to look all the same. looked_at: replayed() as of the last
// look; on a standby nothing is new until it moves.
void sleep(TimestampTz deadline, bool has_slot, XLogRecPtr looked_at) {
    for (;;) {
        int64 left = deadline - GetCurrentTimestamp(), poll = poll_us(has_slot);
        if (left <= 0)
            return;
        int events = WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                               static_cast<long>(((left < poll ? left : poll) + 999) / 1000),
                               pg::compat::wait_event(pg::compat::waits_for::frame));
        if ((events & WL_LATCH_SET) || !RecoveryInProgress() || replayed() != looked_at)
            return;
    }
}

bool wait(waiting &w) {
    int slot = doorbell::enter_bells();
    for (;;) {
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
        for (int i = 0; i < w.count && slot >= 0; i++)
            doorbell::listen_to(slot, w.streams[i].bell);
        XLogRecPtr looked_at = replayed();
        if (is_any_ready(w))
            return true;
        // Lets go of the snapshot and of the locks on the tables.
        SPI_commit();
        if (GetCurrentTimestamp() >= w.deadline)
            return false;
        sleep(w.deadline, slot >= 0, looked_at);
    }
}

Datum wait_for(FunctionCallInfo fcinfo, waiting (*arguments)(FunctionCallInfo)) {
    if (!IsA(fcinfo->context, CallContext) || castNode(CallContext, fcinfo->context)->atomic)
        refuse_block();
    waiting w = arguments(fcinfo);
    w.deadline = GetCurrentTimestamp() + timeout_argument(fcinfo, 2) * 1000;
    SPI_connect_ext(SPI_OPT_NONATOMIC);
    bool ready = wait(w);
    SPI_finish();
    doorbell::leave_bells();
    Datum values[] = {BoolGetDatum(ready)};
    bool nulls[] = {false};
    return pg::make_row(fcinfo, values, nulls);
}

} // namespace

WEIR_FUNCTION(weir_wait) { return wait_for(fcinfo, single); }
WEIR_FUNCTION(weir_wait_many) { return wait_for(fcinfo, several); }
