// SPDX-License-Identifier: PostgreSQL
//
// The life of a worker: round after round while there is work, then two idle
// seconds, then the slot is given up; at once where somebody wants the database for
// himself (to rename, move, copy or drop it), which an idle worker is not to delay.
//
// The doorbell must not take the machine from those it works for: its rounds, and
// the listeners that they wake, may take a tenth of a processor. Time not spent is
// saved up, a little, so that single rings are answered at once; once it is used up,
// marks gather for a few milliseconds and go out together.
#include "pg/pg.hpp"

extern "C" {
PGDLLEXPORT void weir_worker_main(Datum argument);
}

#include "pg/monotonic.hpp"
#include "worker/housekeeper.hpp"
#include "worker/slot.hpp"

namespace weir::worker {

namespace {

constexpr int64 linger_us = 2 * USECS_PER_SEC;
constexpr int64 share = 10;          // one part in so many
constexpr int64 max_saved_us = 5000; // of time to spend
constexpr int64 longest_pause_us = 15000;
constexpr int64 retry_us = 50 * INT64CONST(1000);   // where there is a reason to wait
constexpr int64 glance_us = 100 * INT64CONST(1000); // between two looks whether the database is wanted
constexpr int64 longest_nap_us = 60 * USECS_PER_SEC;

duty duties[kind_count] = {{}, {housekeeper_round, put_back_housekeeping}};

duty const &duty_of(kind which) { return duties[static_cast<int>(which)]; }

// How long to let work gather after a round that cost so many microseconds.
int64 pause_after(int64 cost_us, int64 since_last_us) {
    static int64 saved_us = max_saved_us;
    saved_us += since_last_us / share - cost_us;
    if (saved_us > max_saved_us)
        saved_us = max_saved_us;
    if (saved_us >= 0)
        return 0;
    int64 pause_us = -saved_us * share;
    if (pause_us <= longest_pause_us)
        return pause_us;
    saved_us = -longest_pause_us / share; // a round that took long is not held against the next ones
    return longest_pause_us;
}

void nap(int64 us) {
    us = us < 0 ? 0 : us > longest_nap_us ? longest_nap_us : us;
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, static_cast<long>((us + 999) / 1000),
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
    int64 end = pg::monotonic_us() + us;
    for (int64 left = us; left > 0; left = end - pg::monotonic_us())
        nap(left);
}

// Whether somebody has, or waits for, a lock on the database that lets nobody in: to
// rename, move, copy or drop it. So does InitPostgres look, but it waits.
bool is_database_wanted() {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, MyDatabaseId, 0);
    if (!pg::compat::try_session_lock(&tag, RowExclusiveLock))
        return true;
    LockRelease(&tag, RowExclusiveLock, true);
    return false;
}

// When the next work is known to come, -1: it is not.
int64 next_work(kind which) { return which == kind::housekeeper ? next_housekeeping() : -1; }

// Leaves the database to whoever wants it, for a second at least.
bool give_way(kind which) {
    int64 next = next_work(which), soonest = pg::monotonic_us() + USECS_PER_SEC;
    return leave(next >= 0 && next < soonest ? soonest : next);
}

void serve(kind which) {
    int64 idle_since = pg::monotonic_us(), last_round = idle_since, last_glance = 0;
    for (;;) {
        answer();
        int64 started = pg::monotonic_us();
        int64 others_us = 0;
        result what = duty_of(which).round(others_us);
        if (what == result::gone) {
            if (leave(-1))
                return;
            continue; // woken: the extension may have been made anew
        }
        if (is_dismissed()) {
            make_room();
            return;
        }
        int64 now = pg::monotonic_us();
        if (now - last_glance >= glance_us) {
            last_glance = now;
            if (is_database_wanted() && give_way(which))
                return;
        }
        if (what == result::done) {
            idle_since = now;
            if (int64 us = pause_after(now - started + others_us, now - last_round); us > 0 && which == kind::doorbell)
                pause(us);
            last_round = now;
            continue;
        }
        int64 next = next_work(which);
        // Also with work that has to wait: whoever comes next starts another.
        if (now - idle_since >= linger_us && (next < 0 || next - now >= linger_us) && leave(next))
            return;
        int64 until = what == result::not_now ? now + retry_us : now + glance_us;
        if (next >= 0 && next < until)
            until = next;
        if (what == result::not_now || !is_wakeup_pending())
            nap(until - now);
    }
}

// As autovacuum's workers do: what is set for a role, a database or everybody is not meant for us.
void keep_own_settings(kind which) {
    static const char *const settings[][2] = {
        {"statement_timeout", "0"},
        {"transaction_timeout", "0"}, // from 17 on
        {"idle_in_transaction_session_timeout", "0"},
        {"idle_session_timeout", "0"},
        {"default_transaction_isolation", "read committed"},
        {"default_transaction_read_only", "off"},
        {"default_transaction_deferrable", "off"},
        {"search_path", ""},
        {"synchronous_commit", "off"}}; // nobody waits for a notification to be durable
    for (auto const &s : settings) {
        if (GetConfigOption(s[0], true, false) != nullptr)
            SetConfigOption(s[0], s[1], PGC_SUSET, PGC_S_OVERRIDE);
    }
    // A job that cannot have a lock is not to keep the others from their turn, nor is it to stay in
    // anybody's way: it gives way well before the server looks for a deadlock.
    SetConfigOption("lock_timeout", which == kind::housekeeper ? housekeeper_lock_timeout : "0", PGC_SUSET,
                    PGC_S_OVERRIDE);
}

} // namespace

void set_doorbell_duty(duty const &d) { duties[static_cast<int>(kind::doorbell)] = d; }

} // namespace weir::worker

void weir_worker_main(Datum argument) {
    using namespace weir::worker;
    Oid database = DatumGetObjectId(argument);
    kind which;
    memcpy(&which, MyBgworkerEntry->bgw_extra, sizeof which);
    pqsignal(SIGTERM, die);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    if (!claim(database, which, duty_of(which).put_back))
        proc_exit(0);
    for (int64 us = rest_for(); us > 0; us = rest_for())
        nap(us);
    if (is_of_no_use()) {
        resign();
        proc_exit(0);
    }
    BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, BGWORKER_BYPASS_ALLOWCONN);
    keep_own_settings(which);
    take_up();
    pgstat_report_appname(MyBgworkerEntry->bgw_name);
    serve(which);
    proc_exit(0);
}
