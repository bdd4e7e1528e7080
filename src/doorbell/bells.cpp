// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/bells.hpp"
#include "doorbell/shared.hpp"

namespace weir::doorbell {

namespace {

int own_slot = -1;
bool leaves_at_exit = false;

void wake(int slot) {
    uint32 owner = pg_atomic_read_u32(&attached_state().owners[slot]);
    if (owner != 0)
        SetLatch(&GetPGProcByNumber(owner - 1)->procLatch);
}

void leave_at_exit(int, Datum) { leave_bells(); }

} // namespace

uint32 bell_of(std::string_view name) {
    uint32 hash = hash_bytes(reinterpret_cast<unsigned char const *>(name.data()), static_cast<int>(name.size()));
    return murmurhash32(hash ^ MyDatabaseId) % bucket_count;
}

int ring_bell(uint32 bell, int most, bool *left) {
    int woken = 0;
    for (int word = 0; word < waiter_words; word++) {
        pg_atomic_uint64 *waiting = &attached_state().buckets[bell].waiting[word];
        if (pg_atomic_read_u64(waiting) == 0)
            continue;
        if (woken == most) {
            pg_atomic_fetch_or_u64(&attached_state().pending[bell / 64], uint64{1} << (bell % 64));
            *left = true;
            break;
        }
        uint64 bits = pg_atomic_exchange_u64(waiting, 0);
        for (; bits != 0 && woken < most; bits &= bits - 1, woken++)
            wake(word * 64 + pg_rightmost_one_pos64(bits));
        if (bits != 0) {
            pg_atomic_fetch_or_u64(waiting, bits);
            pg_atomic_fetch_or_u64(&attached_state().pending[bell / 64], uint64{1} << (bell % 64));
            *left = true;
            break;
        }
    }
    return woken;
}

void ring_all_bells() {
    bool left = false;
    for (uint32 bell = 0; bell < bucket_count; bell++)
        ring_bell(bell, waiter_count, &left);
}

void ring_pending_bells() {
    bool left = false;
    for (uint32 word = 0; word < bucket_count / 64; word++) {
        pg_atomic_uint64 *pending = &shared().pending[word];
        if (pg_atomic_read_u64(pending) == 0)
            continue;
        for (uint64 bits = pg_atomic_exchange_u64(pending, 0); bits != 0; bits &= bits - 1)
            ring_bell(word * 64 + static_cast<uint32>(pg_rightmost_one_pos64(bits)), waiter_count, &left);
    }
}

int enter_bells() {
    if (own_slot >= 0)
        return own_slot;
    prepare_shared();
    if (!is_shared())
        return own_slot;
    if (!leaves_at_exit) {
        before_shmem_exit(leave_at_exit, 0);
        leaves_at_exit = true;
    }
    // Neighbours in the array of processes look in different places.
    auto start = static_cast<uint32>(pg::compat::own_proc_number());
    for (uint32 i = 0; i < waiter_count; i++) {
        auto slot = static_cast<int>((start + i) % waiter_count);
        uint32 nobody = 0;
        if (pg_atomic_compare_exchange_u32(&shared().owners[slot], &nobody, start + 1)) {
            own_slot = slot;
            pg_atomic_fetch_add_u32(&shared().owner_count, 1);
            break;
        }
    }
    return own_slot;
}

void leave_bells() {
    if (own_slot < 0)
        return;
    pg_atomic_write_u32(&attached_state().owners[own_slot], 0);
    pg_atomic_fetch_sub_u32(&attached_state().owner_count, 1);
    own_slot = -1;
}

int how_many_sleep() { return static_cast<int>(pg_atomic_read_u32(&shared().owner_count)); }

bool still_listens(int slot, uint32 bell) {
    return pg_atomic_read_u64(&attached_state().buckets[bell].waiting[slot / 64]) >> (slot % 64) & 1;
}

void listen_to(int slot, uint32 bell) {
    // Atomic operations that return a value are full barriers.
    pg_atomic_fetch_or_u64(&shared().buckets[bell].waiting[slot / 64], uint64{1} << (slot % 64));
}

} // namespace weir::doorbell
