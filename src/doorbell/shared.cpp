// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/shared.hpp"
#include "pg/shmem.hpp"

namespace weir::doorbell {

namespace {

// In the main segment. Under AddinShmemInitLock.
struct directory {
    int tranche;
    dsm_handle segment;
};

shared_state *state = nullptr;

void initialise(shared_state &fresh, int tranche) {
    memset(&fresh, 0, sizeof fresh);
    LWLockInitialize(&fresh.lock, tranche);
    for (group &g : fresh.groups)
        SpinLockInit(&g.lock);
    for (auto &owner : fresh.owners)
        pg_atomic_init_u32(&owner, 0);
    pg_atomic_init_u32(&fresh.owner_count, 0);
    pg_atomic_init_u32(&fresh.notify_failures, 0);
    pg_atomic_init_u64(&fresh.notify_after, 0);
    for (auto &word : fresh.pending)
        pg_atomic_init_u64(&word, 0);
    for (bucket &b : fresh.buckets) {
        for (auto &word : b.waiting)
            pg_atomic_init_u64(&word, 0);
    }
}

void attach() {
    bool found = false;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    auto *where = static_cast<directory *>(pg::attach_shared("weir doorbell", sizeof(directory), &found));
    if (!found)
        where->tranche = LWLockNewTrancheId();
    dsm_segment *segment = nullptr;
    if (where->segment == DSM_HANDLE_INVALID) {
        segment = dsm_create(sizeof(shared_state), 0);
        initialise(*static_cast<shared_state *>(dsm_segment_address(segment)), where->tranche);
        dsm_pin_segment(segment);
        where->segment = dsm_segment_handle(segment);
    } else {
        segment = dsm_attach(where->segment);
        if (segment == nullptr)
            elog(ERROR, "could not attach to weir's shared memory");
    }
    dsm_pin_mapping(segment);
    state = static_cast<shared_state *>(dsm_segment_address(segment));
    LWLockRelease(AddinShmemInitLock);
    LWLockRegisterTranche(where->tranche, "WeirDoorbell");
}

} // namespace

shared_state &shared() {
    if (state == nullptr)
        attach();
    return *state;
}

shared_state &attached_state() { return *state; }

void request_shared_memory() { pg::request_shared(sizeof(directory)); }

} // namespace weir::doorbell
