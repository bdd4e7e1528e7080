// SPDX-License-Identifier: PostgreSQL
//
// The background workers of a database: at most one of a kind, started by whoever first
// has work for it, gone after two idle seconds, never restarted by the postmaster.
// So they need no preloading, cost nothing where weir is idle, and DROP DATABASE,
// which waits five seconds for others to leave, just works.
//
//   doorbell  sends notifications for what transactions left behind (src/doorbell)
//   vacuum    vacuums the best-effort frames. They are deleted as fast as they come,
//             and between two rounds of autovacuum (a minute by default) the table would grow to
//             many times what is kept. Where no worker can be had, autovacuum is what
//             remains. It is a process of its own since a doorbell cannot wait for it.
//
// All databases together take at most half of max_worker_processes. They connect as the bootstrap superuser and run
// nothing that a user wrote.
#pragma once

#include "pg/pg.hpp"

namespace weir::worker {

enum class kind : int32 { doorbell, vacuum };
inline constexpr int kind_count = 2;

// Whether a worker runs in this database or is about to; starts one if need be.
// False: none can be had for now, for which the reason was logged once.
bool available(kind which);

// Attaches to what is shared, so that the calls below cannot fail.
void prepare();

// There is work; starts a worker where the last one just left. False: there is none, and none is coming.
bool wake(kind which);

// The doorbell's marks are full: all logs of a database with positions at or above this
// one have to be looked at. Forgotten where nobody ever worked for the database.
void look_from(Oid database, int64 position);

// Whether the doorbell of a database has a worker, or one is coming.
bool is_served(Oid database);

// So many best-effort rows were deleted. Never waits for the worker.
void report_dead_rows(int64 rows);

// What the doorbell of a database did since the server started.
struct figures {
    int64 rings;     // transactions' ends, once for each stream
    int64 coalesced; // of these, that found another one not yet sent
    int64 sent;      // notifications on streams' channels
    int64 looked;    // times that everything had to be looked at
    int64 own;       // notifications of weir.notify() and weir.ring()
    int64 in_commit; // transactions that had to notify by themselves
    int64 starts;    // of a worker
    int64 failures;  // starts that led to nothing, and workers that failed
    int64 held_back; // rounds not sent since the server's queue of notifications was nearly full
};

struct status {
    bool known; // there is a slot for the database
    figures counted;
    pid_t pid; // of the doorbell's worker, 0: none runs
    bool can_start;
};
status own_status();
void count_in_commit();

// As log::request_shared_memory().
void request_shared_memory();

} // namespace weir::worker
