// SPDX-License-Identifier: PostgreSQL
//
// The life of a worker: round after round while there is work, then two idle
// seconds, then the post is given up.
//
// The doorbell must not take the machine from those it works for: it spends at most
// a fifth of its time on rounds. Time not spent is saved up, a little, so that
// single rings are answered at once; once it is used up, marks gather for a few
// milliseconds and go out together.
#include "pg/pg.hpp"

extern "C" {
PGDLLEXPORT void weir_worker_main(Datum database);
}

#include "worker/post.hpp"
#include "worker/send.hpp"
#include "worker/vacuum.hpp"

namespace weir::worker {

namespace {

constexpr int64 linger_us = 2 * USECS_PER_SEC;
constexpr int64 share = 5;            // one part in so many
constexpr int64 most_saved_us = 5000; // of time to spend
constexpr int64 longest_pause_us = 5000;
constexpr long retry_ms = 50; // where there is a reason to wait

MemoryContext memory = nullptr;

result run_round(kind which) { return which == kind::doorbell ? doorbell_round() : vacuum_round(memory); }

// How long to let work gather after a round of so many microseconds.
int64 pause_after(int64 round_us, int64 since_last_us) {
    static int64 saved_us = most_saved_us;
    saved_us += since_last_us / share - round_us;
    if (saved_us > most_saved_us)
        saved_us = most_saved_us;
    if (saved_us >= 0)
        return 0;
    int64 pause_us = -saved_us * share;
    if (pause_us <= longest_pause_us)
        return pause_us;
    saved_us = -longest_pause_us / share; // a round that took long is not held against the next ones
    return longest_pause_us;
}

void nap(long timeout_ms) {
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, timeout_ms,
                    pg::compat::wait_event(pg::compat::waits_for::work));
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
    if (ConfigReloadPending) {
        ConfigReloadPending = false;
        ProcessConfigFile(PGC_SIGHUP);
    }
}

void pause(kind which, int64 us) {
    do_not_disturb(which);
    TimestampTz end = GetCurrentTimestamp() + us;
    for (int64 left = us; left > 0; left = end - GetCurrentTimestamp())
        nap(static_cast<long>((left + 999) / 1000));
}

void serve(kind which) {
    TimestampTz idle_since = GetCurrentTimestamp(), last_round = idle_since;
    for (;;) {
        answer(which);
        TimestampTz started = GetCurrentTimestamp();
        result what = run_round(which);
        if (what == result::gone)
            return;
        TimestampTz now = GetCurrentTimestamp();
        if (what == result::done) {
            idle_since = now;
            if (int64 us = pause_after(now - started, now - last_round); us > 0 && which == kind::doorbell)
                pause(which, us);
            last_round = now;
        } else if (what == result::not_now) {
            idle_since = now;
            nap(retry_ms);
        } else if (now - idle_since >= linger_us && leave(which)) {
            return;
        } else if (!is_rung(which)) {
            nap(static_cast<long>((linger_us - (now - idle_since)) / 1000 + 1));
        }
    }
}

} // namespace

} // namespace weir::worker

void weir_worker_main(Datum database) {
    using namespace weir::worker;
    kind which;
    memcpy(&which, MyBgworkerEntry->bgw_extra, sizeof which);
    pqsignal(SIGTERM, die);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);
    // Nobody waits for a notification to be durable.
    SetConfigOption("synchronous_commit", "off", PGC_SUSET, PGC_S_SESSION);
    if (!take_up(which, which == kind::doorbell ? put_back_doorbell : put_back_vacuum))
        proc_exit(0);
    pgstat_report_appname(MyBgworkerEntry->bgw_name);
    memory = AllocSetContextCreate(TopMemoryContext, "weir worker", ALLOCSET_DEFAULT_SIZES);
    serve(which);
    // Where the extension is gone the post is given up as after a failure, which delays the next start.
    proc_exit(0);
}
