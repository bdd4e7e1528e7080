// SPDX-License-Identifier: PostgreSQL
//
// Housekeeping: what has to be done and nobody asked for. A family registers each of
// its jobs here; the housekeeper of the database does them, in small steps, each a
// transaction of its own. What readers see never depends on when.
//
// Two things bring a job about. A transaction that made work asks for a step on one
// key (a stream, say), which is left in a table of shared memory as it ends. And a
// job says, or is told, when to look at everything next. Where the table is full, the
// job looks at everything as well: a request is never lost, but for the server's stop,
// after which every job looks at everything once, or, where that is dear, comes by its
// next request.
//
// Nothing here fails, waits or holds anything: asking costs the caller a few stores
// and, at its end, an LWLock for some microseconds.
#pragma once

#include "pg/pg.hpp"

namespace weir::worker {

inline constexpr int max_jobs = 12;

struct outcome {
    enum class what : int32 {
        done,
        more,   // it goes on at once, others first
        not_now // something is in the way: again later
    };
    what what = what::done;
    int64 due_us = -1; // from now, when this key should be looked at again; -1: not unless asked
};

struct job {
    const char *name;
    // One small step. An error is caught and logged, and the step is tried again later.
    // It waits for nobody: what it cannot have at once it leaves, as not_now.
    outcome (*step)(int64 key);
    // For looking at everything: the next key, -1: there is none. NULL: the job has one key, 0.
    int64 (*next_key)(int64 after) = nullptr;
    bool at_first = false;         // looks at everything after a start of the server
    bool patient = false;          // nobody comes back only for when it is due
    bool own_transactions = false; // the step begins and ends them
};

// From _PG_init, in every process in the same order. Returns the job's number.
int register_job(job const &j);
int job_count();
job const &job_of(int number);
uint32 at_first(); // a bit for each job that is so

// From a transaction: when it commits, or is prepared, a step is left for the housekeeper.
void ask(int job, int64 key);
void ask_for_everything(int job);

// The same: the job is to look at everything in so many microseconds at the latest.
void ask_for_everything_within(int job, int64 us);

// Now: the job is to look at everything in so many microseconds at the latest.
void ask_within(int job, int64 us);

// Whether the housekeeper cannot keep up with what this session asked for last, or none can
// be had.
bool falls_behind(int job);

// One step here and now, in a savepoint: what fails is logged and forgotten.
void help(int job, int64 key);

// Whether anything in this database concerns the job, as far as is known. A step says
// no where it is not so any more; whoever changes that asks for everything, which says yes.
bool is_of_use(int job);
void say_of_no_use(int job);
void say_of_use(int job);

// Registers with the server; once in a process, before all who ask as a transaction ends.
void watch_transactions();

} // namespace weir::worker
