// SPDX-License-Identifier: PostgreSQL
//
//   none --a backend registers it--> starting --it connects--> running --idle--> none
//    ^                                  |                          |
//    +------- nothing came of it -------+--------- it died --------+
//
// The decision to leave is taken under the lock under which work is reported, so
// work is either seen before leaving or finds nobody there and starts anew.
#include "pg/pg.hpp"

extern "C" {
PGDLLEXPORT void weir_worker_main(Datum database);
}

#include "log/table.hpp"
#include "worker/shared.hpp"
#include "worker/worker.hpp"

namespace weir::worker {

namespace {

constexpr int64 linger_us = 2 * USECS_PER_SEC;
constexpr int64 retry_us = 10 * USECS_PER_SEC; // after a start that led to nothing
constexpr int64 least_vacuum_at = 4096;
constexpr const char *vacuum_sql = "VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF, PARALLEL 0) weir.frame_live";

bool register_worker() {
    BackgroundWorker w = {};
    w.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    w.bgw_start_time = BgWorkerStart_RecoveryFinished;
    w.bgw_restart_time = BGW_NEVER_RESTART;
    strlcpy(w.bgw_library_name, "weir", BGW_MAXLEN);
    strlcpy(w.bgw_function_name, "weir_worker_main", BGW_MAXLEN);
    strlcpy(w.bgw_name, "weir worker", BGW_MAXLEN);
    strlcpy(w.bgw_type, "weir worker", BGW_MAXLEN);
    w.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
    return RegisterDynamicBackgroundWorker(&w, nullptr);
}

void set_phase(slot &s, phase p, TimestampTz now) {
    s.phase = p;
    s.changed_at = now;
    s.pid = p == phase::running ? MyProcPid : 0;
    s.latch = p == phase::running ? MyLatch : nullptr;
}

// At exit, however it comes about.
void leave(int, Datum database) {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_slot(DatumGetObjectId(database));
    if (s != nullptr && s->phase == phase::running && s->pid == MyProcPid)
        set_phase(*s, phase::none, GetCurrentTimestamp());
    LWLockRelease(&shared().lock.lock);
}

bool enter(Oid database) {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_or_take_slot(database);
    bool alone = s != nullptr && s->phase != phase::running;
    if (alone)
        set_phase(*s, phase::running, GetCurrentTimestamp());
    LWLockRelease(&shared().lock.lock);
    return alone;
}

// Whether there is work; if there is none for long enough, the slot is given up.
enum class next { work, wait, leave };

next look_for_work(Oid database, TimestampTz idle_since, TimestampTz not_before) {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_slot(database);
    next what = next::wait;
    if (s->dead_rows >= s->vacuum_at) {
        if (GetCurrentTimestamp() >= not_before) {
            s->dead_rows = 0;
            what = next::work;
        }
    } else if (GetCurrentTimestamp() - idle_since >= linger_us) {
        set_phase(*s, phase::none, GetCurrentTimestamp());
        what = next::leave;
    }
    LWLockRelease(&shared().lock.lock);
    return what;
}

// As many dead rows as live ones are worth a vacuum, so it stays a constant share
// of the work that makes them.
void set_vacuum_at(Oid database, double live_rows) {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_slot(database);
    if (s != nullptr)
        s->vacuum_at = live_rows > least_vacuum_at ? static_cast<int64>(live_rows) : least_vacuum_at;
    LWLockRelease(&shared().lock.lock);
}

Oid live_table() {
    Oid schema = get_namespace_oid("weir", true);
    return OidIsValid(schema) ? get_relname_relid("frame_live", schema) : InvalidOid;
}

enum class outcome {
    done,
    in_vain, // most of the dead are still visible to some old snapshot
    gone     // the extension is
};

outcome vacuum_live_frames(MemoryContext memory) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    bool there = OidIsValid(live_table());
    if (there) {
        pgstat_report_activity(STATE_RUNNING, vacuum_sql);
        MemoryContext before = MemoryContextSwitchTo(memory);
        auto *raw = linitial_node(RawStmt, raw_parser(vacuum_sql, RAW_PARSE_DEFAULT));
        MemoryContextSwitchTo(before);
        PortalContext = memory; // where it keeps what outlives its transactions
        ExecVacuum(make_parsestate(nullptr), castNode(VacuumStmt, raw->stmt), true);
        PortalContext = nullptr;
    }
    CommitTransactionCommand();
    MemoryContextReset(memory);

    double live_rows = 0;
    bool in_vain = false;
    StartTransactionCommand();
    Oid table = live_table();
    if (OidIsValid(table)) {
        if (Relation live = try_relation_open(table, AccessShareLock)) {
            live_rows = live->rd_rel->reltuples;
            in_vain = weir::pg::compat::dead_rows(table) > live_rows + least_vacuum_at;
            relation_close(live, AccessShareLock);
        }
    }
    CommitTransactionCommand();
    set_vacuum_at(MyDatabaseId, live_rows);
    pgstat_report_stat(true);
    pgstat_report_activity(STATE_IDLE, nullptr);
    return !there ? outcome::gone : in_vain ? outcome::in_vain : outcome::done;
}

} // namespace

void report_dead_rows(int64 rows) {
    if (rows <= 0)
        return;
    bool start = false;
    TimestampTz now = GetCurrentTimestamp();
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_or_take_slot(MyDatabaseId);
    if (s != nullptr) {
        s->dead_rows += rows;
        if (s->dead_rows >= s->vacuum_at) {
            if (s->phase == phase::running) {
                SetLatch(s->latch);
            } else if (s->phase == phase::none || now - s->changed_at > retry_us) {
                set_phase(*s, phase::starting, now);
                start = true;
            }
        }
    }
    LWLockRelease(&shared().lock.lock);
    // Where none can be registered the phase stays, which delays the next attempt.
    if (start)
        (void)register_worker();
}

} // namespace weir::worker

void weir_worker_main(Datum database) {
    using namespace weir::worker;
    pqsignal(SIGTERM, die);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);
    if (!enter(MyDatabaseId))
        proc_exit(0);
    before_shmem_exit(leave, ObjectIdGetDatum(MyDatabaseId));
    pgstat_report_appname("weir worker");
    MemoryContext memory = AllocSetContextCreate(TopMemoryContext, "weir worker", ALLOCSET_DEFAULT_SIZES);

    TimestampTz idle_since = GetCurrentTimestamp(), not_before = 0;
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        if (ConfigReloadPending) {
            ConfigReloadPending = false;
            ProcessConfigFile(PGC_SIGHUP);
        }
        next what = look_for_work(MyDatabaseId, idle_since, not_before);
        if (what == next::leave)
            proc_exit(0);
        if (what == next::work) {
            TimestampTz started = GetCurrentTimestamp();
            outcome result = vacuum_live_frames(memory);
            if (result == outcome::gone)
                proc_exit(0);
            idle_since = GetCurrentTimestamp();
            if (result == outcome::in_vain) // not more than a twentieth of the time, then
                not_before = idle_since + 19 * (idle_since - started);
            continue;
        }
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                  not_before > GetCurrentTimestamp() ? 50 : 500, weir::pg::compat::wait_event());
        ResetLatch(MyLatch);
    }
}
