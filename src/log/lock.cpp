// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/lock.hpp"

namespace weir::log {

namespace {

constexpr int partitions = 128;
static_assert((partitions & (partitions - 1)) == 0);

struct shared_state {
    int tranche; // written once, under AddinShmemInitLock
    LWLockPadded locks[partitions];
};
static_assert(std::is_trivially_copyable_v<shared_state>);

shared_state *shared = nullptr;

void attach() {
    bool found = false;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    auto *state = static_cast<shared_state *>(ShmemInitStruct("weir log locks", sizeof(shared_state), &found));
    if (!found) {
        state->tranche = LWLockNewTrancheId();
        for (auto &lock : state->locks)
            LWLockInitialize(&lock.lock, state->tranche);
    }
    LWLockRelease(AddinShmemInitLock);
    LWLockRegisterTranche(state->tranche, "WeirLog");
    shared = state;
}

LWLock *lock_of(int64 key) {
    if (shared == nullptr)
        attach();
    return &shared->locks[murmurhash32(static_cast<uint32>(key) ^ static_cast<uint32>(key >> 32)) & (partitions - 1)]
                .lock;
}

} // namespace

void lock(int64 key) { LWLockAcquire(lock_of(key), LW_EXCLUSIVE); }

void unlock(int64 key) { LWLockRelease(lock_of(key)); }

void request_shared_memory() { RequestAddinShmemSpace(sizeof(shared_state)); }

} // namespace weir::log
