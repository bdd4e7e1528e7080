// SPDX-License-Identifier: PostgreSQL
//
// What the doorbell shares between the backends of a server:
//
//   marks    logs in which something was settled, for the worker of their database
//   waiters  backends asleep in CALL weir.wait(), for the writers
//   cells    what weir.notify() wants sent, for the worker
//
// Some 600 kB, so it lives in a segment of dynamic shared memory that the first
// writer makes and that stays until the server stops; only its handle takes room
// in the server's slop. Everything in it is of fixed size: a full table is a state
// to live with, never an allocation at commit, where nothing may fail.
#pragma once

#include "pg/pg.hpp"

namespace weir::doorbell {

// Marks. A group is found by hash, has a spinlock of its own, and is searched in
// a short window.

struct mark {
    Oid database;
    uint32 rings; // so many came together in it
    int64 log;
    int64 first; // positions assigned: the least and
    int64 last;  // the greatest
};

inline constexpr int group_size = 64;
inline constexpr int group_count = 128;

struct group {
    slock_t lock;
    uint64 occupied; // a bit for each mark
    mark marks[group_size];
};

// Waiters. Each has a bit, set in the buckets of the streams that it waits for;
// whoever rings a bucket takes the bits out of it and sets their latches.

inline constexpr int waiter_words = 16;
inline constexpr int waiter_count = waiter_words * 64;
inline constexpr int bucket_count = 1024;

struct bucket {
    pg_atomic_uint64 waiting[waiter_words];
};

// Cells, under the lock. What is searched lies apart from the texts.

inline constexpr int cell_count = 512;
inline constexpr int cell_text_size = 240; // channel and payload, each with its NUL

struct cell {
    Oid database;
    uint32 hash;   // of text
    uint16 users;  // transactions about to commit it, and the one sending it
    uint16 length; // of text
    bool armed;    // to be sent
    bool sent;     // handed to a NOTIFY that has yet to commit
    uint64 number; // armed: in the order of which cells are sent
};

struct shared_state {
    LWLock lock; // of the cells, and of the owners
    group groups[group_count];
    pg_atomic_uint32 owners[waiter_count]; // the process number of a waiter + 1, 0: free
    pg_atomic_uint32 owner_count;
    bucket buckets[bucket_count];
    pg_atomic_uint64 pending[bucket_count / 64]; // buckets with more sleepers than a writer wakes by itself
    pg_atomic_uint32 notify_failures;            // in a row, of handing anything to NOTIFY (queue.hpp)
    pg_atomic_uint64 notify_after;               // the next try, on the monotonic clock
    uint64 last_number;                          // of a cell
    cell cells[cell_count];
    char cell_texts[cell_count][cell_text_size];
};
static_assert(std::is_trivially_copyable_v<shared_state>);

// Attaches, or tries again where there was no memory: not at the end of a transaction. Until there is, a
// process has a state of its own, in which it leaves no marks, enters no bells and no cells.
void prepare_shared();
bool is_shared();

// Attaches on first use.
shared_state &shared();

// The same where it has been attached before.
shared_state &attached_state();

// As log::request_shared_memory().
void request_shared_memory();

} // namespace weir::doorbell
