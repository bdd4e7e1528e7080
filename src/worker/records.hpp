// SPDX-License-Identifier: PostgreSQL
//
// What the jobs of a database did since the server started, for the view
// weir.housekeeping. It lies in dynamic shared memory that the first run of a job makes, and stays
// until the server stops; its handle is in the database's slot. Where there is no
// such memory, jobs run all the same, and only their own process knows what they did.
#pragma once

#include "pg/pg.hpp"

#include "worker/jobs.hpp"

namespace weir::worker {

struct record {
    int64 runs;           // steps, those that failed included
    int64 failures;       // of these
    TimestampTz last_run; // 0: never
    TimestampTz last_success;
    char last_error[200];
};

struct records {
    Oid database;
    record of[max_jobs];
};

// message: NULL where the step went well.
void record_run(int job, char const *message);

// A copy; false: nothing is known.
bool read_records(records &out);

} // namespace weir::worker
