// SPDX-License-Identifier: PostgreSQL
//
// The background workers of a database: at most one of a kind, started by whoever first
// has work for it, gone after two idle seconds, never restarted by the slotmaster.
// So they need no preloading, cost nothing where weir is idle, and DROP DATABASE,
// which waits for others to leave, just works.
//
//   doorbell      sends notifications for what transactions left behind (src/doorbell)
//   housekeeper   does what nobody asked for: the jobs that the families register
//                 (jobs.hpp). It is a process of its own since a doorbell cannot wait for it
//
// All databases together take at most half of max_worker_processes. They connect as the
// bootstrap superuser and run nothing that a user wrote. README.md has the states.
#pragma once

#include "pg/pg.hpp"

namespace weir::worker {

enum class kind : int32 { doorbell, housekeeper };
inline constexpr int kind_count = 2;

// What a kind of worker does, round after round.
enum class result {
    nothing, // to do
    done,
    not_now, // there is work, and a reason to wait
    gone     // the extension is
};

struct duty {
    result (*round)(int64 &others_us); // others_us: what it cost those whom it woke
    void (*put_back)();                // at an exit in the middle of a round
};

// The doorbell's, from _PG_init: this folder does not know it. The housekeeper has its own.
void set_doorbell_duty(duty const &d);

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
// Takes that back: the position, -1: nothing has to be.
int64 take_look_from();

// Whether the doorbell of a database has a worker, or one is coming.
bool is_served(Oid database);

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

// A round of the doorbell went well: failures are forgotten, and what it did is counted.
void report_success(figures const &done);

// Whether so many rounds of the doorbell in a row have failed.
bool has_failed(int32 times);

// As log::request_shared_memory().
void request_shared_memory();

} // namespace weir::worker
