// SPDX-License-Identifier: PostgreSQL
//
// What is to be done, in shared memory: a table of steps that were asked for, and for each
// job of a database when it looks at everything. Both are taken by whoever does it, and
// put back where it could not.
#pragma once

#include "pg/pg.hpp"

#include "worker/shared.hpp"

namespace weir::worker {

// One that may be done by now, of the job whose turn it is after another; false: there is none.
// only: of this job, however long it should wait; -1: of any.
bool take_request(int after_job, int only, request &out);
int put_request(request const &r); // how many times it has been asked for by now

// A job that is to look at everything by now; -1: none. It is then told so no more.
int take_everything(int after_job);
bool take_everything_of(int job, bool also_held);
void put_everything(int job, int64 in_us);

struct outlook {
    int64 requests;  // of a job in this database
    bool everything; // it is to look at everything
    int64 due;       // by when, on the monotonic clock; 0: it is not known
};
outlook outlook_of(int job);

// Of the extension that is gone.
void forget_requests();

} // namespace weir::worker
