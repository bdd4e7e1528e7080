// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/lock.hpp"
#include "log/lock_check.hpp"
#include "pg/shmem.hpp"

namespace weir::log {

namespace {

constexpr int partition_count = 128;
static_assert((partition_count & (partition_count - 1)) == 0);

constexpr int remembered_logs = 4;

// A database is not pulled along by the floor of another one, such as one restored from a server whose clock was wrong.
constexpr int database_slots = 8;

// Written and read under the partition's lock, but for tranche.
struct partition {
    LWLockPadded lock;
    int64 common[database_slots]; // as in last_assigned
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
            for (int64 &common : p.common)
                common = -1;
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

int database_slot() { return static_cast<int>(murmurhash32(MyDatabaseId) % database_slots); }

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

last_assigned recall(int64 key) {
    partition const &p = partition_of(key);
    int64 common = p.common[database_slot()];
    for (auto const &known : p.logs) {
        if (known.key == key_in_server(key))
            return {known.last, common, true, known.control_record};
    }
    return {common, common, false, true};
}

void remember(int64 key, int64 last, bool ahead_alone, bool control_record) {
    partition &p = partition_of(key);
    int at = 0;
    while (at < remembered_logs - 1 && p.logs[at].key != key_in_server(key))
        at++;
    for (; at > 0; at--)
        p.logs[at] = p.logs[at - 1];
    p.logs[0] = {key_in_server(key), last, control_record};
    if (int64 &common = p.common[database_slot()]; last > common && !ahead_alone)
        common = last;
}

int64 greatest_assigned() {
    int64 greatest = -1;
    int slot = database_slot();
    for (partition const &p : shared->partitions) {
        // Without its lock: what was assigned before we were called is there.
        int64 theirs = *const_cast<int64 const volatile *>(&p.common[slot]);
        if (theirs > greatest)
            greatest = theirs;
    }
    return greatest;
}

void request_shared_memory() { pg::request_shared(sizeof(shared_state)); }

} // namespace weir::log
