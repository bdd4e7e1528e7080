// SPDX-License-Identifier: PostgreSQL
//
// CALL weir.wait(): asleep until something settled lies after a cursor.
//
//        +--> listen --> look (a transaction of its own) --> found, or out of time: return
//        |                          | nothing
//        +---- rung, or poll ---- sleep (no snapshot, no lock, no xid)
//
// Listening comes before looking, so what is settled in between rings. Whether it has
// rung is read from the bells, not from the latch, which the look itself may reset. Looking again
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
constexpr int sleepers_a_poll = 16;           // on a standby: with so many more, each looks as much less often

struct waited_for {
    std::string_view name;
    int64 after;
    uint32 bell;
    bool was_there; // when last looked at
};

struct waiting {
    waited_for *streams;
    int count;
    TimestampTz deadline;
};

[[noreturn]] void refuse(const char *detail) {
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                    errmsg("weir.wait() cannot run inside a transaction block"), errdetail("%s", detail),
                    errhint("Call it by itself, with CALL, outside of functions and BEGIN … COMMIT.")));
    pg_unreachable();
}

void check_alone(FunctionCallInfo fcinfo) {
    auto *context = fcinfo->context;
    if (context == nullptr || !IsA(context, CallContext) || castNode(CallContext, context)->atomic)
        refuse("It holds no snapshot while it waits, which a transaction block does.");
    // In a procedure, or a pipeline: waiting would commit what was written before.
    if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
        refuse("The transaction has written something, which waiting would commit.");
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
    return {view, after, doorbell::bell_of(view), false};
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
    bool was_there = w.was_there;
    w.was_there = now.there;
    if (!now.there)
        return was_there; // dropped meanwhile
    if (now.closed && now.newest_logged <= w.after)
        return true;
    stream::reader r;
    bool found = false;
    stream::open_reader(r, stream_id, w.after, core::greatest, true, ForwardScanDirection, snapshot);
    while (!found && stream::advance(r))
        found = stream::is_for_readers(r);
    stream::close_reader(r);
    if (!found)
        stream::check_not_ahead(w.name, stream_id, w.after);
    return found;
}

// A transaction of its own, with a snapshot of now whatever the session's isolation level.
bool is_any_ready(waiting &w) {
    XactIsoLevel = XACT_READ_COMMITTED;
    PushActiveSnapshot(GetTransactionSnapshot());
    bool ready = false;
    for (int i = 0; i < w.count && !ready; i++)
        ready = is_ready(w.streams[i], GetActiveSnapshot());
    PopActiveSnapshot();
    SPI_commit();
    return ready;
}

int64 poll_us(bool has_slot) {
    int64 poll = pg::settings::poll_interval * INT64CONST(1000);
    int64 often = poll;
    if (RecoveryInProgress())
        often = standby_poll_us * (1 + doorbell::how_many_sleep() / sleepers_a_poll);
    else if (!has_slot)
        often = crowded_poll_us;
    return often < poll ? often : poll;
}

XLogRecPtr replayed() { return RecoveryInProgress() ? GetXLogReplayRecPtr(nullptr) : InvalidXLogRecPtr; }

bool is_rung(waiting const &w, int slot) {
    for (int i = 0; i < w.count; i++) {
        if (!doorbell::still_listens(slot, w.streams[i].bell))
            return true;
    }
    return false;
}

// A client that has gone would else be noticed when it is answered.
void check_client() {
    if (MyProcPort == nullptr || !WaitEventSetCanReportClosed() || pq_check_connection())
        return;
    ClientConnectionLost = true;
    InterruptPending = true;
    CHECK_FOR_INTERRUPTS();
}

// Until rung, or it is time to look all the same. looked_at: replayed() as of the last
// look; on a standby nothing is new until it moves.
void sleep(waiting const &w, int slot, XLogRecPtr looked_at) {
    TimestampTz poll_at = GetCurrentTimestamp() + poll_us(slot >= 0);
    for (;;) {
        if (slot >= 0 && is_rung(w, slot))
            return;
        TimestampTz now = GetCurrentTimestamp();
        if (now >= w.deadline)
            return;
        if (now >= poll_at) {
            check_client();
            if (!RecoveryInProgress() || replayed() != looked_at)
                return;
            poll_at = now + poll_us(slot >= 0);
        }
        int64 left = (w.deadline < poll_at ? w.deadline : poll_at) - now;
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                        static_cast<long>((left + 999) / 1000), pg::compat::wait_event(pg::compat::waits_for::frame));
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    }
}

bool wait(waiting &w) {
    int slot = doorbell::enter_bells();
    for (;;) {
        for (int i = 0; i < w.count && slot >= 0; i++)
            doorbell::listen_to(slot, w.streams[i].bell);
        XLogRecPtr looked_at = replayed();
        if (is_any_ready(w))
            return true;
        if (GetCurrentTimestamp() >= w.deadline)
            return false;
        sleep(w, slot, looked_at);
    }
}

Datum wait_for(FunctionCallInfo fcinfo, waiting (*arguments)(FunctionCallInfo)) {
    check_alone(fcinfo);
    waiting w = arguments(fcinfo);
    w.deadline = GetCurrentTimestamp() + timeout_argument(fcinfo, 2) * 1000;
    SPI_connect_ext(SPI_OPT_NONATOMIC);
    SPI_commit(); // the statement's own snapshot is from before we listen
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
