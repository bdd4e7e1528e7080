// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "worker/post.hpp"

namespace weir::worker {

namespace {

constexpr int64 first_backoff_us = 500 * INT64CONST(1000);
constexpr int most_doublings = 7; // to about a minute

kind own_kind;
bool holds_post = false;
void (*put_back_work)() = nullptr;

post &own_post(kind which) { return find_slot(MyDatabaseId)->posts[static_cast<int>(which)]; }

void set_phase(post &p, phase to) {
    p.phase = to;
    p.changed_at = GetCurrentTimestamp();
    p.pid = to == phase::running ? MyProcPid : 0;
    p.latch = to == phase::running ? MyLatch : nullptr;
}

// At an exit that was not of our own will: an error, or somebody's SIGTERM.
void fail(int, Datum) {
    if (!holds_post)
        return;
    put_back_work();
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_slot(MyDatabaseId);
    post &p = s->posts[static_cast<int>(own_kind)];
    int doublings = p.failures < most_doublings ? p.failures : most_doublings;
    p.failures++;
    p.not_before = GetCurrentTimestamp() + (first_backoff_us << doublings);
    s->counted.failures++;
    set_phase(p, phase::none);
    LWLockRelease(&shared().lock.lock);
    holds_post = false;
}

} // namespace

bool take_up(kind which, void (*put_back)()) {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_or_take_slot(MyDatabaseId);
    bool alone = s != nullptr && s->posts[static_cast<int>(which)].phase != phase::running;
    if (alone) {
        set_phase(s->posts[static_cast<int>(which)], phase::running);
        s->posts[static_cast<int>(which)].complained = false;
    }
    LWLockRelease(&shared().lock.lock);
    if (alone) {
        own_kind = which;
        holds_post = true;
        put_back_work = put_back;
        before_shmem_exit(fail, 0);
    }
    return alone;
}

void answer(kind which) { pg_atomic_exchange_u32(&own_post(which).rung, 0); }

bool is_rung(kind which) { return pg_atomic_read_u32(&own_post(which).rung) != 0; }

void do_not_disturb(kind which) { pg_atomic_write_u32(&own_post(which).rung, 1); }

bool leave(kind which) {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    post &p = own_post(which);
    set_phase(p, phase::none);
    pg_memory_barrier();
    if (pg_atomic_read_u32(&p.rung) != 0)
        set_phase(p, phase::running);
    else
        holds_post = false;
    LWLockRelease(&shared().lock.lock);
    return !holds_post;
}

void report_success(kind which, figures const &done) {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_slot(MyDatabaseId);
    s->posts[static_cast<int>(which)].failures = 0;
    s->counted.rings += done.rings;
    s->counted.coalesced += done.coalesced;
    s->counted.sent += done.sent;
    s->counted.looked += done.looked;
    s->counted.own += done.own;
    s->counted.held_back += done.held_back;
    LWLockRelease(&shared().lock.lock);
}

} // namespace weir::worker
