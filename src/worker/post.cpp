// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "worker/post.hpp"
#include "worker/start.hpp"

namespace weir::worker {

namespace {

constexpr int64 first_backoff_us = 500 * INT64CONST(1000);
constexpr int most_doublings = 7; // to about a minute

Oid own_database = InvalidOid;
kind own_kind;
bool holds_post = false;
void (*put_back_work)() = nullptr;

post &own_post() { return find_slot(own_database)->posts[static_cast<int>(own_kind)]; }

void set_phase(post &p, phase to) {
    p.phase = to;
    p.changed_at = GetCurrentTimestamp();
    p.pid = to == phase::none ? 0 : MyProcPid;
    p.latch = to == phase::running ? MyLatch : nullptr;
}

// At an exit that was not of our own will.
void fail(int, Datum) {
    if (!holds_post)
        return;
    holds_post = false;
    if (put_back_work != nullptr)
        put_back_work();
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_slot(own_database);
    post &p = s->posts[static_cast<int>(own_kind)];
    bool was_running = p.phase == phase::running;
    int doublings = p.failures < most_doublings ? p.failures : most_doublings;
    p.failures++;
    p.not_before = GetCurrentTimestamp() + (first_backoff_us << doublings);
    s->counted.failures++;
    set_phase(p, was_running ? phase::starting : phase::none);
    p.pid = 0;
    LWLockRelease(&shared().lock.lock);
    if (was_running && !register_worker(own_database, own_kind)) {
        LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
        set_phase(own_post(), phase::none);
        LWLockRelease(&shared().lock.lock);
    }
}

} // namespace

bool claim(Oid database, kind which, void (*put_back)()) {
    own_database = database;
    own_kind = which;
    put_back_work = put_back;
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_or_take_slot(database);
    if (s != nullptr) {
        post &p = s->posts[static_cast<int>(which)];
        holds_post = p.phase != phase::running && p.pid == 0;
        if (holds_post)
            set_phase(p, phase::starting);
    }
    LWLockRelease(&shared().lock.lock);
    if (holds_post)
        before_shmem_exit(fail, 0);
    return holds_post;
}

int64 rest_for() { return own_post().not_before - GetCurrentTimestamp(); }

void take_up() {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    set_phase(own_post(), phase::running);
    own_post().complained = false;
    LWLockRelease(&shared().lock.lock);
}

void answer() { pg_atomic_exchange_u32(&own_post().rung, 0); }

bool is_rung() { return pg_atomic_read_u32(&own_post().rung) != 0; }

void do_not_disturb() { pg_atomic_write_u32(&own_post().rung, 1); }

bool leave() {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    post &p = own_post();
    set_phase(p, phase::none);
    pg_memory_barrier();
    holds_post = pg_atomic_read_u32(&p.rung) != 0;
    if (holds_post)
        set_phase(p, phase::running);
    LWLockRelease(&shared().lock.lock);
    return !holds_post;
}

void report_success(figures const &done) {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_slot(own_database);
    own_post().failures = 0;
    s->counted.rings += done.rings;
    s->counted.coalesced += done.coalesced;
    s->counted.sent += done.sent;
    s->counted.looked += done.looked;
    s->counted.own += done.own;
    s->counted.held_back += done.held_back;
    LWLockRelease(&shared().lock.lock);
}

} // namespace weir::worker
