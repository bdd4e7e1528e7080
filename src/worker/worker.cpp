// SPDX-License-Identifier: PostgreSQL
//
// The life of a worker: round after round while there is work, then two idle
// seconds, then the post is given up.
//
// The doorbell must not take the machine from those it works for: its rounds, and
// the listeners that they wake, may take a tenth of a processor. Time not spent is
// saved up, a little, so that single rings are answered at once; once it is used up,
// marks gather for a few milliseconds and go out together.
#include "pg/pg.hpp"

extern "C" {
PGDLLEXPORT void weir_worker_main(Datum argument);
}

#include "worker/post.hpp"
#include "worker/round.hpp"

namespace weir::worker {

namespace {

constexpr int64 linger_us = 2 * USECS_PER_SEC;
constexpr int64 share = 10;           // one part in so many
constexpr int64 most_saved_us = 5000; // of time to spend
constexpr int64 longest_pause_us = 15000;
constexpr long retry_ms = 50; // where there is a reason to wait

MemoryContext memory = nullptr;

// others_us: what the round costs others.
result run_round(kind which, int64 &others_us) {
    others_us = 0;
    return which == kind::doorbell ? doorbell_round(others_us) : vacuum_round(memory);
}

// How long to let work gather after a round that cost so many microseconds.
int64 pause_after(int64 cost_us, int64 since_last_us) {
    static int64 saved_us = most_saved_us;
    saved_us += since_last_us / share - cost_us;
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

void pause(int64 us) {
    do_not_disturb();
    TimestampTz end = GetCurrentTimestamp() + us;
    for (int64 left = us; left > 0; left = end - GetCurrentTimestamp())
        nap(static_cast<long>((left + 999) / 1000));
}

void serve(kind which) {
    TimestampTz idle_since = GetCurrentTimestamp(), last_round = idle_since;
    for (;;) {
        answer();
        TimestampTz started = GetCurrentTimestamp();
        int64 others_us;
        result what = run_round(which, others_us);
        if (what == result::gone) {
            if (leave())
                return;
            continue; // rung: the extension may have been made anew
        }
        TimestampTz now = GetCurrentTimestamp();
        if (what == result::done) {
            idle_since = now;
            if (int64 us = pause_after(now - started + others_us, now - last_round); us > 0 && which == kind::doorbell)
                pause(us);
            last_round = now;
        } else if (now - idle_since >= linger_us && leave()) {
            return; // also with work that has to wait: whoever comes next starts another
        } else if (what == result::not_now) {
            nap(retry_ms);
        } else if (!is_rung()) {
            nap(static_cast<long>((linger_us - (now - idle_since)) / 1000 + 1));
        }
    }
}

// As autovacuum's workers do: what is set for a database or for everybody is not meant for us.
void keep_own_settings() {
    static const char *const settings[][2] = {
        {"statement_timeout", "0"},
        {"lock_timeout", "0"},
        {"idle_in_transaction_session_timeout", "0"},
        {"default_transaction_isolation", "read committed"},
        {"default_transaction_read_only", "off"},
        {"default_transaction_deferrable", "off"},
        {"search_path", ""},
        {"synchronous_commit", "off"}}; // nobody waits for a notification to be durable
    for (auto const &s : settings)
        SetConfigOption(s[0], s[1], PGC_SUSET, PGC_S_OVERRIDE);
}

} // namespace

} // namespace weir::worker

void weir_worker_main(Datum argument) {
    using namespace weir::worker;
    Oid database = DatumGetObjectId(argument);
    kind which;
    memcpy(&which, MyBgworkerEntry->bgw_extra, sizeof which);
    pqsignal(SIGTERM, die);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    if (!claim(database, which, which == kind::doorbell ? put_back_doorbell : nullptr))
        proc_exit(0);
    for (int64 us = rest_for(); us > 0; us = rest_for())
        nap(static_cast<long>(us / 1000 + 1));
    BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, BGWORKER_BYPASS_ALLOWCONN);
    keep_own_settings();
    take_up();
    pgstat_report_appname(MyBgworkerEntry->bgw_name);
    memory = AllocSetContextCreate(TopMemoryContext, "weir worker", ALLOCSET_DEFAULT_SIZES);
    serve(which);
    proc_exit(0);
}
