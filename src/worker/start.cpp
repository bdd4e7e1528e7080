// SPDX-License-Identifier: PostgreSQL
//
// What backends do about workers.
//
//   none --a backend registers it--> starting --it connects--> running --idle--> none
//    ^                                |    ^                      |
//    +------ nothing came of it ------+    +--- it failed: its successor rests first
//
// A worker says that it is leaving, and then looks once more whether it was rung; a
// ringer rings, and then looks whether there is a worker. So either the worker
// stays, or the ringer starts another.
#include "pg/pg.hpp"

#include "worker/shared.hpp"
#include "worker/start.hpp"

namespace weir::worker {

namespace {

constexpr int64 retry_us = 10 * USECS_PER_SEC; // after a start that led to nothing

const char *const names[kind_count] = {"weir doorbell", "weir vacuum"};

enum phase phase_of(post const &p) { return *const_cast<enum phase const volatile *>(&p.phase); }

// Under the lock. The server's other users of workers are left half of them.
bool are_too_many() {
    int count = 0;
    TimestampTz now = GetCurrentTimestamp();
    for (slot const &s : shared().slots) {
        for (post const &p : s.posts)
            count += is_manned(p, now);
    }
    return count >= (max_worker_processes + 1) / 2;
}

// None could be had. Under the lock.
void give_up(slot &s, kind which) {
    post &p = s.posts[static_cast<int>(which)];
    p.phase = phase::none;
    p.not_before = GetCurrentTimestamp() + retry_us;
    s.counted.failures++;
}

// Whether one is there or coming; start: it falls to us to register it. Under the lock.
bool expect(slot &s, kind which, bool *start) {
    post &p = s.posts[static_cast<int>(which)];
    TimestampTz now = GetCurrentTimestamp();
    if (p.phase == phase::running)
        return true;
    if (now < p.not_before) // it rests, or the last try was just now
        return false;
    if (p.phase == phase::starting) {
        if (is_manned(p, now))
            return true;
        give_up(s, which);
        return false;
    }
    if (are_too_many()) {
        give_up(s, which);
        return false;
    }
    p.phase = phase::starting;
    p.changed_at = now;
    s.counted.starts += which == kind::doorbell;
    return *start = true;
}

bool start_if_needed(kind which) {
    bool start = false, there = false;
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_or_take_slot(MyDatabaseId);
    if (s != nullptr)
        there = expect(*s, which, &start);
    LWLockRelease(&shared().lock.lock);
    if (start && !register_worker(MyDatabaseId, which)) {
        there = false;
        LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
        s = find_slot(MyDatabaseId);
        if (s != nullptr && s->posts[static_cast<int>(which)].phase == phase::starting)
            give_up(*s, which);
        LWLockRelease(&shared().lock.lock);
    }
    return there;
}

// Once, until there is a worker again. Where the transaction can still fail.
void complain(kind which) {
    bool news = false;
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    if (slot *s = find_slot(MyDatabaseId)) {
        post &p = s->posts[static_cast<int>(which)];
        news = !p.complained && p.failures == 0; // a failure has spoken for itself
        p.complained = true;
    }
    LWLockRelease(&shared().lock.lock);
    if (news)
        ereport(LOG, (errmsg("could not start a worker for weir"),
                      errdetail("Until there is one, transactions that append notify by themselves, which is slower."),
                      errhint("Raise max_worker_processes, of which weir takes half at the most.")));
}

} // namespace

bool register_worker(Oid database, kind which) {
    BackgroundWorker w = {};
    w.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    w.bgw_start_time = BgWorkerStart_RecoveryFinished;
    w.bgw_restart_time = BGW_NEVER_RESTART;
    strlcpy(w.bgw_library_name, "$libdir/weir", BGW_MAXLEN);
    strlcpy(w.bgw_function_name, "weir_worker_main", BGW_MAXLEN);
    strlcpy(w.bgw_name, names[static_cast<int>(which)], BGW_MAXLEN);
    strlcpy(w.bgw_type, names[static_cast<int>(which)], BGW_MAXLEN);
    w.bgw_main_arg = ObjectIdGetDatum(database);
    memcpy(w.bgw_extra, &which, sizeof which);
    return RegisterDynamicBackgroundWorker(&w, nullptr);
}

void prepare() { (void)own_slot(); }

bool available(kind which) {
    slot *s = own_slot();
    if (s == nullptr)
        return false;
    if (phase_of(s->posts[static_cast<int>(which)]) == phase::running)
        return true;
    if (start_if_needed(which))
        return true;
    complain(which);
    return false;
}

bool wake(kind which) {
    slot *s = own_slot();
    if (s == nullptr)
        return false;
    post &p = s->posts[static_cast<int>(which)];
    bool was_rung = pg_atomic_exchange_u32(&p.rung, 1) != 0;
    enum phase now = phase_of(p);
    if (now == phase::running && database_of(*s) == MyDatabaseId) {
        Latch *latch = *const_cast<Latch *volatile *>(&p.latch);
        if (!was_rung && latch != nullptr)
            SetLatch(latch);
        return true; // it will look, or has been told before
    }
    // Also where another database has just taken the slot: a first round is unconditional.
    return start_if_needed(which);
}

bool is_served(Oid database) {
    slot const *s = find_slot(database);
    return s != nullptr && phase_of(s->posts[static_cast<int>(kind::doorbell)]) != phase::none;
}

void look_from(Oid database, int64 position) {
    slot *s = database == MyDatabaseId ? own_slot() : find_slot(database);
    if (s == nullptr)
        return;
    auto wanted = static_cast<uint64>(position) + 1;
    uint64 before = pg_atomic_read_u64(&s->look_from);
    while ((before == 0 || wanted < before) && !pg_atomic_compare_exchange_u64(&s->look_from, &before, wanted)) {
    }
}

void report_dead_rows(int64 rows) {
    if (rows <= 0)
        return;
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_or_take_slot(MyDatabaseId);
    bool due = false;
    if (s != nullptr) {
        s->dead_rows += rows;
        due = s->dead_rows >= s->vacuum_at && GetCurrentTimestamp() >= s->vacuum_not_before;
    }
    LWLockRelease(&shared().lock.lock);
    if (due)
        (void)wake(kind::vacuum);
}

void count_in_commit() {
    if (own_slot() == nullptr)
        return;
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    if (slot *s = find_slot(MyDatabaseId))
        s->counted.in_commit++;
    LWLockRelease(&shared().lock.lock);
}

status own_status() {
    status out{};
    LWLockAcquire(&shared().lock.lock, LW_SHARED);
    if (slot *s = find_slot(MyDatabaseId)) {
        post const &p = s->posts[static_cast<int>(kind::doorbell)];
        out.known = true;
        out.counted = s->counted;
        out.pid = p.phase == phase::running ? p.pid : 0;
        out.can_start = p.phase == phase::running || GetCurrentTimestamp() >= p.not_before;
    }
    LWLockRelease(&shared().lock.lock);
    return out;
}

} // namespace weir::worker
