// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/lock.hpp"
#include "log/lock_check.hpp"
#include "pg/shmem.hpp"

namespace weir::log {

namespace {

constexpr int partition_count = 128;
static_assert((partition_count & (partition_count - 1)) == 0);

constexpr int remembered_logs = 4;

// Written and read under the partition's lock, but for tranche.
struct partition {
    LWLockPadded lock;
    int64 greatest; // of all positions handed out under the lock
    struct {
        int64 key;
        int64 last;
        bool control_record;
    } logs[remembered_logs]; // the one used last comes first
};

struct shared_state {
    int tranche; // written once, under AddinShmemInitLock
    partition partitions[partition_count];
};
static_assert(std::is_trivially_copyable_v<shared_state>);

shared_state *shared = nullptr;

void attach() {
    bool found = false;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    auto *state = static_cast<shared_state *>(pg::attach_shared("weir log locks", sizeof(shared_state), &found));
    if (!found) {
        state->tranche = LWLockNewTrancheId();
        for (auto &p : state->partitions) {
            LWLockInitialize(&p.lock.lock, state->tranche);
            p.greatest = -1;
            for (auto &known : p.logs)
                known = {0, -1, false};
        }
    }
    LWLockRelease(AddinShmemInitLock);
    LWLockRegisterTranche(state->tranche, "WeirLog");
    shared = state;
}

partition &partition_of(int64 key) {
    if (shared == nullptr)
        attach();
    uint32 hash = murmurhash32(static_cast<uint32>(key) ^ static_cast<uint32>(key >> 32));
    return shared->partitions[hash & (partition_count - 1)];
}

// Databases number their logs alike.
int64 key_in_server(int64 key) { return key ^ static_cast<int64>(MyDatabaseId) << 32; }

} // namespace

void lock(int64 key) {
    LWLock *l = &partition_of(key).lock.lock;
    prepare_lock_check();
    LWLockAcquire(l, LW_EXCLUSIVE);
    begin_lock_check(l);
}

void unlock(int64 key) {
    end_lock_check();
    LWLockRelease(&partition_of(key).lock.lock);
}

last_assigned recall(int64 key, int64 now_ms) {
    partition const &p = partition_of(key);
    for (auto const &known : p.logs) {
        if (known.key == key_in_server(key))
            return {known.last, true, known.control_record};
    }
    return {core::ms_of(p.greatest) <= now_ms ? p.greatest : -1, false, true};
}

void remember(int64 key, int64 last, bool control_record) {
    partition &p = partition_of(key);
    int at = 0;
    while (at < remembered_logs - 1 && p.logs[at].key != key_in_server(key))
        at++;
    for (; at > 0; at--)
        p.logs[at] = p.logs[at - 1];
    p.logs[0] = {key_in_server(key), last, control_record};
    if (last > p.greatest)
        p.greatest = last;
}

int64 greatest_assigned(int64 now_ms) {
    int64 greatest = -1;
    for (partition const &p : shared->partitions) {
        // Without its lock: what was handed out before we were called is there.
        int64 theirs = *const_cast<int64 const volatile *>(&p.greatest);
        if (theirs > greatest && core::ms_of(theirs) <= now_ms)
            greatest = theirs;
    }
    return greatest;
}

void request_shared_memory() { pg::request_shared(sizeof(shared_state)); }

} // namespace weir::log
