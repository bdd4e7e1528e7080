// SPDX-License-Identifier: PostgreSQL
//
// The housekeeper's round: one step of one job, those that were asked for and those
// that look at everything by turns, each job in its turn. A step that fails is logged,
// once until it succeeds, and comes again after 1 s, 2 s, … 64 s, for its key alone;
// meanwhile the other jobs and keys go on.
#pragma once

#include "pg/pg.hpp"

#include "worker/jobs.hpp"
#include "worker/worker.hpp"

namespace weir::worker {

inline constexpr const char *housekeeper_lock_timeout = "250ms";

result housekeeper_round(int64 &others_us);

// At an exit in the middle of a round.
void put_back_housekeeping();

// When the next step is due, on the monotonic clock; -1: none is known of.
int64 next_housekeeping();

} // namespace weir::worker
