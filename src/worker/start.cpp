// SPDX-License-Identifier: PostgreSQL
//
// What backends do about workers. A worker says that it is leaving, and then looks once more whether a wakeup is
// pending; who wakes it sets that first, and then looks whether there is a worker. So either the worker stays, or
// another one is started (README.md).
#include "pg/pg.hpp"

#include "pg/monotonic.hpp"
#include "worker/shared.hpp"
#include "worker/start.hpp"

namespace weir::worker {

namespace {

constexpr int64 retry_us = 10 * USECS_PER_SEC;                     // after a start that led to nothing
constexpr int64 retry_after_dismissal_us = 200 * INT64CONST(1000); // once a place should be free

const char *const names[kind_count] = {"weir doorbell", "weir housekeeper"};

enum phase phase_of(worker_slot const &p) { return *const_cast<enum phase const volatile *>(&p.phase); }

// Under the lock. The server's other users of workers are left half of them.
bool are_too_many() {
    int count = 0;
    int64 now = pg::monotonic_us();
    for (database_slot const &s : shared().slots) {
        for (worker_slot const &p : s.workers)
            count += has_worker(p, now);
    }
    return count >= (max_worker_processes + 1) / 2;
}

bool dismiss_one(enum phase whom) {
    for (database_slot &s : shared().slots) {
        worker_slot &p = s.workers[static_cast<int>(kind::housekeeper)];
        if (p.phase != whom)
            continue;
        p.dismissed = true;
        if (p.latch != nullptr)
            SetLatch(p.latch);
        return true;
    }
    return false;
}

// A housekeeper that only waits for a time to come can make room, and for a doorbell, for
// which listeners wait, also one that is at work, after its step, or about to be. Under the lock.
bool dismiss_for(kind which) {
    return dismiss_one(phase::resting) ||
           (which == kind::doorbell && (dismiss_one(phase::running) || dismiss_one(phase::starting)));
}

// None could be had. Under the lock.
void give_up(database_slot &s, kind which, int64 again_in_us = retry_us) {
    worker_slot &p = s.workers[static_cast<int>(which)];
    p.phase = phase::none;
    p.not_before = pg::monotonic_us() + again_in_us;
    s.counted.failures += which == kind::doorbell;
}

// Whether one is there or coming; start: it falls to us to register it. Under the lock.
bool expect(database_slot &s, kind which, bool *start) {
    worker_slot &p = s.workers[static_cast<int>(which)];
    int64 now = pg::monotonic_us();
    if (p.phase == phase::running || (p.phase == phase::resting && has_worker(p, now)))
        return true;
    if (p.phase != phase::resting && now < p.not_before) // after a failure, or the last try was just now
        return false;
    if (p.phase == phase::starting) {
        if (has_worker(p, now))
            return true;
        give_up(s, which);
        return false;
    }
    if (are_too_many()) {
        give_up(s, which, dismiss_for(which) ? retry_after_dismissal_us : retry_us);
        return false;
    }
    p.not_before = 0;
    p.phase = phase::starting;
    p.changed_at = now;
    s.counted.starts += which == kind::doorbell;
    return *start = true;
}

bool start_if_needed(kind which) {
    bool start = false, there = false;
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    database_slot *s = find_or_take_slot(MyDatabaseId);
    if (s != nullptr)
        there = expect(*s, which, &start);
    LWLockRelease(&shared().lock.lock);
    if (start && !register_worker(MyDatabaseId, which)) {
        there = false;
        LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
        s = find_slot(MyDatabaseId);
        if (s != nullptr && s->workers[static_cast<int>(which)].phase == phase::starting)
            give_up(*s, which);
        LWLockRelease(&shared().lock.lock);
    }
    return there;
}

// Once, until there is a worker again. Where the transaction can still fail.
void complain(kind which) {
    bool news = false;
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    if (database_slot *s = find_slot(MyDatabaseId)) {
        worker_slot &p = s->workers[static_cast<int>(which)];
        bool room_is_made = p.not_before - pg::monotonic_us() <= retry_after_dismissal_us;
        news = !p.complained && !room_is_made && p.failures == 0; // a failure has spoken for itself
        p.complained |= news;
    }
    LWLockRelease(&shared().lock.lock);
    if (news)
        ereport(LOG, (which == kind::doorbell ? errmsg("could not start a worker for weir")
                                              : errmsg("could not start the housekeeper of weir"),
                      which == kind::doorbell
                          ? errdetail("Until there is one, transactions that append notify by themselves, which "
                                      "is slower.")
                          : errdetail("Until there is one, nothing is tidied up, which takes space and time."),
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
    database_slot *s = own_slot();
    if (s == nullptr)
        return false;
    if (phase_of(s->workers[static_cast<int>(which)]) == phase::running)
        return true;
    if (start_if_needed(which))
        return true;
    complain(which);
    return false;
}

bool wake(kind which) {
    database_slot *s = own_slot();
    if (s == nullptr)
        return false;
    worker_slot &p = s->workers[static_cast<int>(which)];
    bool was_pending = pg_atomic_exchange_u32(&p.wakeup_pending, 1) != 0;
    enum phase now = phase_of(p);
    if ((now == phase::running || now == phase::resting) && database_of(*s) == MyDatabaseId) {
        Latch *latch = *const_cast<Latch *volatile *>(&p.latch);
        if (!was_pending && latch != nullptr)
            SetLatch(latch);
        if (now == phase::running)
            return true; // it will look, or has been told before
    }
    // Also where another database has just taken the slot: a first round is unconditional.
    return start_if_needed(which);
}

bool is_served(Oid database) {
    database_slot const *s = find_slot(database);
    return s != nullptr && phase_of(s->workers[static_cast<int>(kind::doorbell)]) != phase::none;
}

void look_from(Oid database, int64 position) {
    database_slot *s = database == MyDatabaseId ? own_slot() : find_slot(database);
    if (s == nullptr)
        return;
    auto wanted = static_cast<uint64>(position) + 1;
    uint64 before = pg_atomic_read_u64(&s->look_from);
    while ((before == 0 || wanted < before) && !pg_atomic_compare_exchange_u64(&s->look_from, &before, wanted)) {
    }
}

int64 take_look_from() { return static_cast<int64>(pg_atomic_exchange_u64(&own_slot()->look_from, 0)) - 1; }

bool has_failed(int32 times) { return own_slot()->workers[static_cast<int>(kind::doorbell)].failures >= times; }

void count_in_commit() {
    if (own_slot() == nullptr)
        return;
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    if (database_slot *s = find_slot(MyDatabaseId))
        s->counted.in_commit++;
    LWLockRelease(&shared().lock.lock);
}

status own_status() {
    status out{};
    LWLockAcquire(&shared().lock.lock, LW_SHARED);
    if (database_slot *s = find_slot(MyDatabaseId)) {
        worker_slot const &p = s->workers[static_cast<int>(kind::doorbell)];
        out.known = true;
        out.counted = s->counted;
        out.pid = p.phase == phase::running ? p.pid : 0;
        out.can_start = p.phase == phase::running || pg::monotonic_us() >= p.not_before;
    }
    LWLockRelease(&shared().lock.lock);
    return out;
}

} // namespace weir::worker
