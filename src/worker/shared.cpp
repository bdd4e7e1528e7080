// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/shmem.hpp"
#include "worker/shared.hpp"

namespace weir::worker {

namespace {

constexpr int64 first_vacuum_at = 4096;

shared_state *attached = nullptr;
slot *own = nullptr;

void attach() {
    bool found = false;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    auto *state = static_cast<shared_state *>(pg::attach_shared("weir workers", sizeof(shared_state), &found));
    if (!found) {
        state->tranche = LWLockNewTrancheId();
        LWLockInitialize(&state->lock.lock, state->tranche);
    }
    LWLockRelease(AddinShmemInitLock);
    LWLockRegisterTranche(state->tranche, "WeirWorker");
    attached = state;
}

bool is_idle(slot &s) {
    TimestampTz now = GetCurrentTimestamp();
    for (post &p : s.posts) {
        if (is_manned(p, now) || pg_atomic_read_u32(&p.rung) != 0)
            return false;
    }
    return pg_atomic_read_u64(&s.look_from) == 0;
}

void take(slot &s, Oid database) {
    memset(&s, 0, sizeof s);
    for (post &p : s.posts)
        pg_atomic_init_u32(&p.rung, 0);
    pg_atomic_init_u64(&s.look_from, 0);
    s.vacuum_at = first_vacuum_at;
    s.database = database;
}

} // namespace

bool is_manned(post const &p, TimestampTz now) {
    if (p.phase != phase::starting)
        return p.phase == phase::running;
    TimestampTz since = p.changed_at > p.not_before ? p.changed_at : p.not_before;
    return p.pid != 0 || now - since < patience_us;
}

shared_state &shared() {
    if (attached == nullptr)
        attach();
    return *attached;
}

Oid database_of(slot const &s) { return *const_cast<Oid const volatile *>(&s.database); }

slot *find_slot(Oid database) {
    for (slot &s : shared().slots) {
        if (database_of(s) == database)
            return &s;
    }
    return nullptr;
}

slot *find_or_take_slot(Oid database) {
    slot *s = find_slot(database);
    if (s != nullptr)
        return s;
    s = find_slot(InvalidOid);
    // A database whose workers have left can take a slot again when it needs one.
    for (int i = 0; s == nullptr && i < slot_count; i++) {
        if (is_idle(shared().slots[i]))
            s = &shared().slots[i];
    }
    if (s != nullptr)
        take(*s, database);
    return s;
}

slot *own_slot() {
    if (own == nullptr || database_of(*own) != MyDatabaseId) {
        LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
        own = find_or_take_slot(MyDatabaseId);
        LWLockRelease(&shared().lock.lock);
    }
    return own;
}

void request_shared_memory() { pg::request_shared(sizeof(shared_state)); }

} // namespace weir::worker
