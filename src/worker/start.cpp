// SPDX-License-Identifier: PostgreSQL
//
// What backends do about workers.
//
//   none --a backend registers it--> starting --it connects--> running --idle--> none
//    ^                                  |                          |
//    +------- nothing came of it -------+--------- it failed ------+
//
// A worker says that it is leaving, and then looks once more whether it was rung; a
// ringer rings, and then looks whether there is a worker. So either the worker
// stays, or the ringer starts another.
#include "pg/pg.hpp"

#include "worker/shared.hpp"

namespace weir::worker {

namespace {

constexpr int64 patience_us = 5 * USECS_PER_SEC; // with a start
constexpr int64 retry_us = 10 * USECS_PER_SEC;   // after a start that led to nothing

const char *const names[kind_count] = {"weir doorbell", "weir vacuum"};

bool register_worker(kind which) {
    BackgroundWorker w = {};
    w.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    w.bgw_start_time = BgWorkerStart_RecoveryFinished;
    w.bgw_restart_time = BGW_NEVER_RESTART;
    strlcpy(w.bgw_library_name, "weir", BGW_MAXLEN);
    strlcpy(w.bgw_function_name, "weir_worker_main", BGW_MAXLEN);
    strlcpy(w.bgw_name, names[static_cast<int>(which)], BGW_MAXLEN);
    strlcpy(w.bgw_type, names[static_cast<int>(which)], BGW_MAXLEN);
    w.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
    memcpy(w.bgw_extra, &which, sizeof which);
    return RegisterDynamicBackgroundWorker(&w, nullptr);
}

enum phase phase_of(post const &p) { return *const_cast<enum phase const volatile *>(&p.phase); }

// Whether one is there or coming; start: it falls to us to register it. Under the lock.
bool expect(slot &s, kind which, bool *start) {
    post &p = s.posts[static_cast<int>(which)];
    TimestampTz now = GetCurrentTimestamp();
    if (p.phase == phase::running)
        return true;
    if (p.phase == phase::starting) {
        if (now - p.changed_at < patience_us)
            return true;
        p.phase = phase::none;
        p.not_before = now + retry_us;
        s.counted.failures++;
    }
    if (now < p.not_before)
        return false;
    p.phase = phase::starting;
    p.changed_at = now;
    s.counted.starts += which == kind::doorbell;
    return *start = true;
}

// None could be registered. Says whether that is news. Under the lock.
bool give_up(slot &s, kind which) {
    post &p = s.posts[static_cast<int>(which)];
    if (p.phase == phase::starting)
        p.phase = phase::none;
    p.not_before = GetCurrentTimestamp() + retry_us;
    s.counted.failures++;
    bool news = !p.complained;
    p.complained = true;
    return news;
}

bool start_if_needed(kind which, bool *news) {
    bool start = false, there = false;
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_or_take_slot(MyDatabaseId);
    if (s != nullptr)
        there = expect(*s, which, &start);
    LWLockRelease(&shared().lock.lock);
    if (start && !register_worker(which)) {
        LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
        *news = give_up(*s, which);
        LWLockRelease(&shared().lock.lock);
        there = false;
    }
    return there;
}

} // namespace

void prepare() { (void)own_slot(); }

bool available(kind which) {
    slot *s = own_slot();
    if (s == nullptr)
        return false;
    if (phase_of(s->posts[static_cast<int>(which)]) == phase::running)
        return true;
    bool news = false;
    bool there = start_if_needed(which, &news);
    if (news)
        ereport(LOG, (errmsg("could not start a worker for weir"),
                      errdetail("Until there is one, transactions that append notify by themselves, which is slower."),
                      errhint("Raise max_worker_processes.")));
    return there;
}

void wake(kind which) {
    slot *s = own_slot();
    if (s == nullptr)
        return;
    post &p = s->posts[static_cast<int>(which)];
    if (pg_atomic_exchange_u32(&p.rung, 1) != 0 && phase_of(p) != phase::none)
        return; // rung before, and not yet looked at
    if (phase_of(p) == phase::running) {
        if (Latch *latch = *const_cast<Latch *volatile *>(&p.latch))
            SetLatch(latch);
    } else if (phase_of(p) == phase::none) {
        bool news = false;
        (void)start_if_needed(which, &news);
    }
}

void look_from(int64 position) {
    slot *s = own_slot();
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
        due = s->dead_rows >= s->vacuum_at;
    }
    LWLockRelease(&shared().lock.lock);
    if (due)
        wake(kind::vacuum);
}

void count_in_commit() {
    if (slot *s = own_slot()) {
        LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
        s->counted.in_commit++;
        LWLockRelease(&shared().lock.lock);
    }
}

status own_status() {
    status out{};
    LWLockAcquire(&shared().lock.lock, LW_SHARED);
    if (slot *s = find_slot(MyDatabaseId)) {
        post const &p = s->posts[static_cast<int>(kind::doorbell)];
        out.known = true;
        out.counted = s->counted;
        out.pid = p.phase == phase::running ? p.pid : 0;
        out.can_start = p.phase != phase::none || GetCurrentTimestamp() >= p.not_before;
        out.look_from = static_cast<int64>(pg_atomic_read_u64(&s->look_from)) - 1;
    }
    LWLockRelease(&shared().lock.lock);
    return out;
}

} // namespace weir::worker
