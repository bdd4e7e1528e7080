// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/shmem.hpp"
#include "worker/shared.hpp"
#include "worker/worker.hpp"

namespace weir::worker {

namespace {

constexpr int64 first_vacuum_at = 4096;

shared_state *attached = nullptr;

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

} // namespace

shared_state &shared() {
    if (attached == nullptr)
        attach();
    return *attached;
}

slot *find_slot(Oid database) {
    for (slot &s : shared().slots) {
        if (s.database == database)
            return &s;
    }
    return nullptr;
}

slot *find_or_take_slot(Oid database) {
    slot *s = find_slot(database);
    for (int i = 0; s == nullptr && i < slot_count; i++) {
        slot &candidate = shared().slots[i];
        // A database that has no worker now can take a slot again when it needs one.
        if (candidate.phase == phase::none) {
            candidate = {};
            candidate.database = database;
            candidate.vacuum_at = first_vacuum_at;
            s = &candidate;
        }
    }
    return s;
}

void request_shared_memory() { pg::request_shared(sizeof(shared_state)); }

} // namespace weir::worker
