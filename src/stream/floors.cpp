// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/shmem.hpp"
#include "stream/floors.hpp"

namespace weir::stream {

namespace {

struct entry {
    slock_t lock;
    Oid database;
    int64 stream_id; // 0: free
    int64 floor;
};
constexpr int entries = 256;

struct shared_state {
    entry of[entries];
};

shared_state *shared = nullptr;

entry &entry_of(int64 stream_id) {
    uint32 hash = murmurhash32(static_cast<uint32>(stream_id) ^ static_cast<uint32>(stream_id >> 32) ^ MyDatabaseId);
    return shared->of[hash % entries];
}

} // namespace

void prepare_floors() {
    if (shared != nullptr)
        return;
    bool found = false;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    auto *state = static_cast<shared_state *>(pg::attach_shared("weir floors", sizeof(shared_state), &found));
    for (int i = 0; !found && i < entries; i++)
        SpinLockInit(&state->of[i].lock);
    LWLockRelease(AddinShmemInitLock);
    shared = state;
}

int64 trimmed_floor(int64 stream_id) {
    entry &e = entry_of(stream_id);
    SpinLockAcquire(&e.lock);
    int64 floor = e.stream_id == stream_id && e.database == MyDatabaseId ? e.floor : -1;
    SpinLockRelease(&e.lock);
    return floor;
}

void publish_floor(int64 stream_id, int64 floor) {
    entry &e = entry_of(stream_id);
    SpinLockAcquire(&e.lock);
    if (e.stream_id != stream_id || e.database != MyDatabaseId) {
        e.database = MyDatabaseId;
        e.stream_id = stream_id;
        e.floor = floor;
    } else if (floor > e.floor) {
        e.floor = floor;
    }
    SpinLockRelease(&e.lock);
}

void request_floors() { pg::request_shared(sizeof(shared_state)); }

} // namespace weir::stream
