// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/shared.hpp"
#include "pg/attempt.hpp"
#include "pg/monotonic.hpp"
#include "pg/shmem.hpp"

namespace weir::doorbell {

namespace {

// In the main segment. Under AddinShmemInitLock, but for looking whether there is a segment.
struct directory {
    int tranche;
    dsm_handle segment;
    bool complained; // the log knows that there is no memory
};

constexpr int64 retry_us = 10 * USECS_PER_SEC;

directory *where = nullptr;
shared_state *state = nullptr; // the segment's, or where there is none one's own
bool has_segment = false;
int64 retry_at = 0;

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

dsm_segment *make_segment() {
    dsm_segment *segment = dsm_create(sizeof(shared_state), 0);
    initialise(*static_cast<shared_state *>(dsm_segment_address(segment)), where->tranche);
    dsm_pin_segment(segment);
    where->segment = dsm_segment_handle(segment);
    return segment;
}

void attach(void *) {
    bool found = false;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    where = static_cast<directory *>(pg::attach_shared("weir doorbell", sizeof(directory), &found));
    if (!found)
        where->tranche = LWLockNewTrancheId();
    dsm_segment *segment = where->segment == DSM_HANDLE_INVALID ? make_segment() : dsm_attach(where->segment);
    if (segment == nullptr)
        elog(ERROR, "could not attach to weir's shared memory");
    dsm_pin_mapping(segment);
    if (state != nullptr)
        pfree(state);
    state = static_cast<shared_state *>(dsm_segment_address(segment));
    has_segment = true;
    LWLockRelease(AddinShmemInitLock);
    LWLockRegisterTranche(where->tranche, "WeirDoorbell");
}

void complain() {
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    bool news = !where->complained;
    where->complained = true;
    LWLockRelease(AddinShmemInitLock);
    if (news)
        ereport(LOG, (errmsg("there is no dynamic shared memory for the doorbell of weir"),
                      errdetail("It needs %zu kB. Until there is, all streams are looked at instead of those that "
                                "rang, weir.wait() polls, and weir.notify() is a NOTIFY.",
                                sizeof(shared_state) / 1024),
                      errhint("Make more room in /dev/shm, or see dynamic_shared_memory_type.")));
}

} // namespace

void prepare_shared() {
    if (has_segment)
        return;
    bool is_there = where != nullptr && *const_cast<dsm_handle volatile *>(&where->segment) != DSM_HANDLE_INVALID;
    if (state != nullptr && !is_there && pg::monotonic_us() < retry_at)
        return;
    if (pg::attempt(attach, nullptr, nullptr))
        return;
    retry_at = pg::monotonic_us() + retry_us;
    if (state == nullptr) {
        state = static_cast<shared_state *>(MemoryContextAlloc(TopMemoryContext, sizeof(shared_state)));
        initialise(*state, LWTRANCHE_BUFFER_CONTENT); // nobody else will ever want its lock
    }
    if (where != nullptr)
        complain();
}

shared_state &shared() {
    if (state == nullptr)
        prepare_shared();
    return *state;
}

shared_state &attached_state() { return *state; }

bool is_shared() { return has_segment; }

void request_shared_memory() { pg::request_shared(sizeof(directory)); }

} // namespace weir::doorbell
