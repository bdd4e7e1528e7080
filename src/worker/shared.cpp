// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/monotonic.hpp"
#include "pg/settings.hpp"
#include "pg/shmem.hpp"
#include "worker/shared.hpp"

namespace weir::worker {

namespace {

shared_state *attached = nullptr;
database_slot *own = nullptr;

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

bool is_idle(database_slot &s) {
    int64 now = pg::monotonic_us();
    for (worker_slot const &p : s.workers) {
        if (has_worker(p, now))
            return false;
    }
    // Notifications that are owed keep it; a housekeeper looks at everything when it comes back.
    return pg_atomic_read_u32(&s.workers[static_cast<int>(kind::doorbell)].wakeup_pending) == 0 &&
           pg_atomic_read_u64(&s.look_from) == 0;
}

void take(database_slot &s, Oid database) {
    for (request &r : shared().requests) {
        if (r.database == s.database)
            r.database = InvalidOid;
    }
    dsm_handle records = s.records; // stays, and is of use to the next one
    memset(&s, 0, sizeof s);
    for (worker_slot &p : s.workers)
        pg_atomic_init_u32(&p.wakeup_pending, 0);
    for (auto &due : s.due)
        pg_atomic_init_u64(&due, 0);
    pg_atomic_init_u32(&s.idle_jobs, 0);
    pg_atomic_init_u64(&s.look_from, 0);
    s.records = records;
    s.database = database;
    // Whatever came before the server's start, and whoever asked while there was no slot.
    s.everything = at_first();
}

} // namespace

bool has_worker(worker_slot const &p, int64 now) {
    switch (p.phase) {
    case phase::none:
        return false;
    case phase::running:
        return true;
    case phase::resting:
        return p.pid != 0 || now - p.changed_at < patience_us;
    case phase::starting:
        break;
    }
    return p.pid != 0 || now - (p.changed_at > p.not_before ? p.changed_at : p.not_before) < patience_us;
}

shared_state &shared() {
    if (attached == nullptr)
        attach();
    return *attached;
}

Oid database_of(database_slot const &s) { return *const_cast<Oid const volatile *>(&s.database); }

database_slot *find_slot(Oid database) {
    for (database_slot &s : shared().slots) {
        if (database_of(s) == database)
            return &s;
    }
    return nullptr;
}

database_slot *find_or_take_slot(Oid database) {
    database_slot *s = find_slot(database);
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

database_slot *own_slot() {
    if (own == nullptr || database_of(*own) != MyDatabaseId) {
        lock_shared();
        bool is_first = find_slot(MyDatabaseId) == nullptr;
        own = find_or_take_slot(MyDatabaseId);
        unlock_shared();
        // What was left to be done when the server stopped, nobody asks for.
        if (is_first && own != nullptr && pg::settings::housekeeping && !RecoveryInProgress())
            (void)wake(kind::housekeeper);
    }
    return own;
}

void request_shared_memory() { pg::request_shared(sizeof(shared_state)); }

} // namespace weir::worker
