// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/notify.hpp"
#include "doorbell/wait.hpp"
#include "pg/monotonic.hpp"
#include "pg/settings.hpp"

namespace weir::doorbell {

namespace {

constexpr int64 standby_poll_us = 20 * 1000; // replay rings nobody, but its progress is cheap to see
constexpr int64 often_us = 100 * 1000;       // all bells are taken, or there is none for what may come
constexpr int sleepers_a_poll = 16;          // on a standby: with so many more, each looks as much less often
constexpr int64 long_look_us = 2000;         // one that takes longer is not repeated all the time
constexpr int64 look_share = 10;             // polls take so small a part of the time

struct looked {
    XLogRecPtr at;  // replayed() before the look; on a standby nothing is new until it moves
    int64 began_us; // by the monotonic clock
    int64 took_us;
};

// A transaction of its own, with a snapshot of now whatever the session's isolation level.
look look_once(waiting &w, MemoryContext memory) {
    XactIsoLevel = XACT_READ_COMMITTED;
    PushActiveSnapshot(GetTransactionSnapshot());
    MemoryContext before = MemoryContextSwitchTo(memory);
    look result = w.at(w, GetActiveSnapshot());
    MemoryContextSwitchTo(before);
    MemoryContextReset(memory);
    PopActiveSnapshot();
    SPI_commit();
    return result;
}

int64 poll_us(waiting const &w, bool has_slot, looked const &last) {
    int64 poll = pg::settings::poll_interval * INT64CONST(1000);
    int64 often = poll;
    if (RecoveryInProgress())
        often = standby_poll_us * (1 + how_many_sleep() / sleepers_a_poll);
    else if (!has_slot || w.polls_often)
        often = often_us;
    if (often < last.took_us * look_share)
        often = last.took_us * look_share;
    return often < poll ? often : poll;
}

XLogRecPtr replayed() { return RecoveryInProgress() ? GetXLogReplayRecPtr(nullptr) : InvalidXLogRecPtr; }

template <class F> void for_each_bell(waiting const &w, F &&f) {
    for (uint32 word = 0; word < bucket_count / 64; word++) {
        for (uint64 bits = w.bells[word]; bits != 0; bits &= bits - 1)
            f(word * 64 + static_cast<uint32>(pg_rightmost_one_pos64(bits)));
    }
}

bool is_woken(waiting const &w, int slot) {
    bool woken = false;
    for_each_bell(w, [&](uint32 bell) { woken = woken || !still_listens(slot, bell); });
    return woken;
}

// A client that has gone would else be noticed when it is answered.
void check_client() {
    if (MyProcPort == nullptr || !WaitEventSetCanReportClosed() || pq_check_connection())
        return;
    ClientConnectionLost = true;
    InterruptPending = true;
    CHECK_FOR_INTERRUPTS();
}

// Until woken, or it is time to look all the same.
void sleep(waiting const &w, int slot, looked const &last, int64 deadline_us) {
    int64 poll_at = pg::monotonic_us() + poll_us(w, slot >= 0, last);
    int64 not_before = last.began_us + (last.took_us > long_look_us ? 2 * last.took_us : 0);
    pg::compat::suspend_transaction_timeout(); // the look that follows is the rest of this transaction
    for (;;) {
        int64 now = pg::monotonic_us();
        bool woken = slot >= 0 && is_woken(w, slot);
        if (now >= deadline_us || (woken && now >= not_before))
            return;
        if (now >= poll_at) {
            check_client();
            if (!RecoveryInProgress() || replayed() != last.at)
                return;
            poll_at = now + poll_us(w, slot >= 0, last);
        }
        int64 until = woken && not_before < poll_at ? not_before : poll_at;
        int64 left = (deadline_us < until ? deadline_us : until) - now;
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                        static_cast<long>((left + 999) / 1000), pg::compat::wait_event(pg::compat::waits_for::frame));
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    }
}

bool look_until(waiting &w, int64 deadline_us, MemoryContext memory) {
    int slot = enter_bells();
    for (;;) {
        if (slot >= 0)
            for_each_bell(w, [&](uint32 bell) { listen_to(slot, bell); });
        looked last{replayed(), pg::monotonic_us(), 0};
        w.has_more_bells = false;
        look result = look_once(w, memory);
        if (result == look::found)
            return true;
        int64 now = pg::monotonic_us();
        last.took_us = now - last.began_us;
        if (w.has_more_bells && slot >= 0)
            continue;
        if (now >= deadline_us)
            return false;
        if (result == look::nothing)
            sleep(w, slot, last, deadline_us);
    }
}

} // namespace

void wake_for(waiting &w, std::string_view name) {
    uint32 bell = bell_of(name);
    uint64 bit = uint64{1} << (bell % 64);
    w.has_more_bells |= (w.bells[bell / 64] & bit) == 0;
    w.bells[bell / 64] |= bit;
}

void refuse_to_wait(const char *detail, const char *hint) {
    ereport(ERROR,
            (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION), errmsg("weir.wait() cannot run inside a transaction block"),
             errdetail("%s", detail), errhint("%s", hint)));
    pg_unreachable();
}

void check_may_wait(FunctionCallInfo fcinfo) {
    auto *context = fcinfo->context;
    if (context == nullptr || !IsA(context, CallContext) || castNode(CallContext, context)->atomic)
        refuse_to_wait("It holds no snapshot while it waits, which a transaction block does.",
                       "Call it by itself, with CALL, outside of functions and BEGIN … COMMIT.");
    const char *commit_first = "COMMIT before it, or ROLLBACK.";
    // In a procedure, or a pipeline: waiting would commit what was done before.
    if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
        refuse_to_wait("The transaction has written something, which waiting would commit.", commit_first);
    if (has_notifications())
        refuse_to_wait("The transaction has notified somebody, which waiting would commit.", commit_first);
}

bool wait(waiting &w, int64 timeout_us) {
    int64 now = pg::monotonic_us();
    int64 deadline_us = timeout_us < PG_INT64_MAX - now ? now + timeout_us : PG_INT64_MAX;
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "weir wait", ALLOCSET_DEFAULT_SIZES);
    SPI_connect_ext(SPI_OPT_NONATOMIC);
    SPI_commit(); // the statement's own snapshot is from before we listen
    bool found = look_until(w, deadline_us, memory);
    SPI_finish();
    leave_bells();
    return found;
}

} // namespace weir::doorbell
