// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "lease/clock.hpp"
#include "pg/monotonic.hpp"
#include "pg/shmem.hpp"

namespace weir::lease {

namespace {

struct shared_state {
    int64 ahead; // of the monotonic clock, microseconds; written once, under AddinShmemInitLock
};

shared_state *shared = nullptr;

void attach() {
    bool found = false;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    auto *state = static_cast<shared_state *>(pg::attach_shared("weir lease clock", sizeof(shared_state), &found));
    if (!found)
        state->ahead = GetCurrentTimestamp() - pg::monotonic_us();
    LWLockRelease(AddinShmemInitLock);
    shared = state;
}

} // namespace

TimestampTz now() {
    if (shared == nullptr)
        attach();
    return pg::monotonic_us() + shared->ahead;
}

TimestampTz shown(TimestampTz t) { return t - now() + GetCurrentTimestamp(); }

void request_shared_memory() { pg::request_shared(sizeof(shared_state)); }

} // namespace weir::lease
