// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/monotonic.hpp"
#include "worker/slot.hpp"
#include "worker/start.hpp"

namespace weir::worker {

namespace {

constexpr int64 first_backoff_us = 500 * INT64CONST(1000);
constexpr int max_doublings = 7; // to about a minute

Oid own_database = InvalidOid;
kind own_kind;
bool holds_slot = false;
void (*put_back_work)() = nullptr;

worker_slot &own_worker_slot() { return find_slot(own_database)->workers[static_cast<int>(own_kind)]; }

void set_phase(worker_slot &p, phase to) {
    p.phase = to;
    p.changed_at = pg::monotonic_us();
    p.pid = to == phase::none ? 0 : MyProcPid;
    p.latch = to == phase::running || to == phase::resting ? MyLatch : nullptr;
}

// For a successor that nobody has claimed it for yet.
void hand_over(worker_slot &p, phase to) {
    set_phase(p, to);
    p.pid = 0;
    p.latch = nullptr;
}

void register_successor() {
    if (register_worker(own_database, own_kind))
        return;
    lock_shared();
    if (database_slot *s = find_slot(own_database); s != nullptr && own_worker_slot().pid == 0)
        set_phase(own_worker_slot(), phase::none);
    unlock_shared();
}

// At an exit that was not of our own will.
void fail(int, Datum) {
    if (!holds_slot)
        return;
    holds_slot = false;
    if (put_back_work != nullptr)
        put_back_work();
    lock_shared();
    database_slot *s = find_slot(own_database);
    worker_slot &p = s->workers[static_cast<int>(own_kind)];
    bool was_running = p.phase == phase::running, was_resting = p.phase == phase::resting;
    if (was_resting) { // nothing had been begun
        set_phase(p, phase::none);
    } else {
        int doublings = p.failures < max_doublings ? p.failures : max_doublings;
        p.failures++;
        p.not_before = pg::monotonic_us() + (first_backoff_us << doublings);
        s->counted.failures += own_kind == kind::doorbell;
        hand_over(p, was_running ? phase::starting : phase::none);
    }
    unlock_shared();
    if (was_running)
        register_successor();
}

// Where it had its directory.
bool is_database_there(database_slot const &s) {
    if (!OidIsValid(s.tablespace))
        return true;
    char *path = GetDatabasePath(s.database, s.tablespace);
    bool there = access(path, F_OK) == 0;
    pfree(path);
    return there;
}

} // namespace

bool claim(Oid database, kind which, void (*put_back)()) {
    own_database = database;
    own_kind = which;
    put_back_work = put_back;
    lock_shared();
    database_slot *s = find_or_take_slot(database);
    if (s != nullptr) {
        worker_slot &p = s->workers[static_cast<int>(which)];
        holds_slot = p.phase != phase::running && p.pid == 0;
        if (holds_slot)
            set_phase(p, p.phase == phase::resting ? phase::resting : phase::starting);
    }
    unlock_shared();
    if (holds_slot)
        before_shmem_exit(fail, 0);
    return holds_slot;
}

int64 rest_for() {
    worker_slot &p = own_worker_slot();
    if (p.phase == phase::resting && (is_wakeup_pending() || p.dismissed))
        return 0;
    return p.not_before - pg::monotonic_us();
}

bool is_of_no_use() {
    lock_shared();
    bool dismissed = own_worker_slot().dismissed;
    unlock_shared();
    return dismissed || !is_database_there(*find_slot(own_database));
}

void take_up() {
    lock_shared();
    find_slot(own_database)->tablespace = MyDatabaseTableSpace;
    set_phase(own_worker_slot(), phase::running);
    own_worker_slot().complained = false;
    unlock_shared();
}

void answer() { pg_atomic_exchange_u32(&own_worker_slot().wakeup_pending, 0); }

bool is_wakeup_pending() { return pg_atomic_read_u32(&own_worker_slot().wakeup_pending) != 0; }

void do_not_disturb() { pg_atomic_write_u32(&own_worker_slot().wakeup_pending, 1); }

bool leave(int64 rest_until) {
    lock_shared();
    worker_slot &p = own_worker_slot();
    set_phase(p, phase::none);
    pg_memory_barrier();
    holds_slot = pg_atomic_read_u32(&p.wakeup_pending) != 0;
    if (holds_slot) {
        set_phase(p, phase::running);
    } else if (rest_until >= 0) {
        hand_over(p, phase::resting);
        p.not_before = rest_until;
        p.dismissed = false;
    }
    unlock_shared();
    if (!holds_slot && rest_until >= 0)
        register_successor();
    return !holds_slot;
}

bool is_dismissed() { return *const_cast<bool volatile *>(&own_worker_slot().dismissed); }

void make_room() {
    holds_slot = false;
    lock_shared();
    worker_slot &p = own_worker_slot();
    p.dismissed = false;
    p.not_before = pg::monotonic_us() + USECS_PER_SEC; // for it to be taken
    set_phase(p, phase::none);
    unlock_shared();
}

void resign() {
    holds_slot = false;
    lock_shared();
    find_slot(own_database)->tablespace = InvalidOid;
    own_worker_slot().dismissed = false;
    set_phase(own_worker_slot(), phase::none);
    unlock_shared();
}

void forget_failures() {
    lock_shared();
    own_worker_slot().failures = 0;
    unlock_shared();
}

void report_success(figures const &done) {
    lock_shared();
    database_slot *s = find_slot(own_database);
    own_worker_slot().failures = 0;
    s->counted.rings += done.rings;
    s->counted.coalesced += done.coalesced;
    s->counted.sent += done.sent;
    s->counted.looked += done.looked;
    s->counted.own += done.own;
    s->counted.held_back += done.held_back;
    unlock_shared();
}

} // namespace weir::worker
