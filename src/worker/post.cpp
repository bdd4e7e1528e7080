// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/monotonic.hpp"
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
    p.changed_at = pg::monotonic_us();
    p.pid = to == phase::none ? 0 : MyProcPid;
    p.latch = to == phase::running || to == phase::resting ? MyLatch : nullptr;
}

// For a successor that nobody has claimed it for yet.
void hand_over(post &p, phase to) {
    set_phase(p, to);
    p.pid = 0;
    p.latch = nullptr;
}

void register_successor() {
    if (register_worker(own_database, own_kind))
        return;
    lock_shared();
    if (slot *s = find_slot(own_database); s != nullptr && own_post().pid == 0)
        set_phase(own_post(), phase::none);
    unlock_shared();
}

// At an exit that was not of our own will.
void fail(int, Datum) {
    if (!holds_post)
        return;
    holds_post = false;
    if (put_back_work != nullptr)
        put_back_work();
    lock_shared();
    slot *s = find_slot(own_database);
    post &p = s->posts[static_cast<int>(own_kind)];
    bool was_running = p.phase == phase::running, was_resting = p.phase == phase::resting;
    if (was_resting) { // nothing had been begun
        set_phase(p, phase::none);
    } else {
        int doublings = p.failures < most_doublings ? p.failures : most_doublings;
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
bool is_database_there(slot const &s) {
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
    slot *s = find_or_take_slot(database);
    if (s != nullptr) {
        post &p = s->posts[static_cast<int>(which)];
        holds_post = p.phase != phase::running && p.pid == 0;
        if (holds_post)
            set_phase(p, p.phase == phase::resting ? phase::resting : phase::starting);
    }
    unlock_shared();
    if (holds_post)
        before_shmem_exit(fail, 0);
    return holds_post;
}

int64 rest_for() {
    post &p = own_post();
    if (p.phase == phase::resting && (is_rung() || p.dismissed))
        return 0;
    return p.not_before - pg::monotonic_us();
}

bool is_of_no_use() {
    lock_shared();
    bool dismissed = own_post().dismissed;
    unlock_shared();
    return dismissed || !is_database_there(*find_slot(own_database));
}

void take_up() {
    lock_shared();
    find_slot(own_database)->tablespace = MyDatabaseTableSpace;
    set_phase(own_post(), phase::running);
    own_post().complained = false;
    unlock_shared();
}

void answer() { pg_atomic_exchange_u32(&own_post().rung, 0); }

bool is_rung() { return pg_atomic_read_u32(&own_post().rung) != 0; }

void do_not_disturb() { pg_atomic_write_u32(&own_post().rung, 1); }

bool leave(int64 rest_until) {
    lock_shared();
    post &p = own_post();
    set_phase(p, phase::none);
    pg_memory_barrier();
    holds_post = pg_atomic_read_u32(&p.rung) != 0;
    if (holds_post) {
        set_phase(p, phase::running);
    } else if (rest_until >= 0) {
        hand_over(p, phase::resting);
        p.not_before = rest_until;
        p.dismissed = false;
    }
    unlock_shared();
    if (!holds_post && rest_until >= 0)
        register_successor();
    return !holds_post;
}

bool is_dismissed() { return *const_cast<bool volatile *>(&own_post().dismissed); }

void make_room() {
    holds_post = false;
    lock_shared();
    post &p = own_post();
    p.dismissed = false;
    p.not_before = pg::monotonic_us() + USECS_PER_SEC; // for it to be taken
    set_phase(p, phase::none);
    unlock_shared();
}

void resign() {
    holds_post = false;
    lock_shared();
    find_slot(own_database)->tablespace = InvalidOid;
    own_post().dismissed = false;
    set_phase(own_post(), phase::none);
    unlock_shared();
}

void forget_failures() {
    lock_shared();
    own_post().failures = 0;
    unlock_shared();
}

void report_success(figures const &done) {
    lock_shared();
    slot *s = find_slot(own_database);
    own_post().failures = 0;
    s->counted.rings += done.rings;
    s->counted.coalesced += done.coalesced;
    s->counted.sent += done.sent;
    s->counted.looked += done.looked;
    s->counted.own += done.own;
    s->counted.held_back += done.held_back;
    unlock_shared();
}

} // namespace weir::worker
