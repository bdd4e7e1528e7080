// SPDX-License-Identifier: PostgreSQL
//
// What weir does in buckets beside its callers: superseded changes are removed within the bucket's history, what has
// expired is written as a change, tombstones go after a day, and the oldest keys where there is no room.
#pragma once

#include "pg/pg.hpp"

#include "kv/checkpoint.hpp"

namespace weir::kv {

void register_jobs();

// From a write: of so many changes, the last of this ordinal.
void ask_to_keep_house(int64 bucket_id, int64 ordinal, int count);
void ask_at_once(int64 bucket_id);
void ask_to_expire(int64 in_us);

// What a bucket holds as of a snapshot, as far as it is settled, by the history in force: what housekeeping would
// have come to. Costs the changes since its last step.
checkpoint account(int64 bucket_id, Snapshot snapshot);

// Removes what the settled changes up to a position have superseded, in one go; for a caller who asked for it. Under
// the bucket's maintenance lock.
void catch_up(int64 bucket_id, Snapshot snapshot);

// Within the call that alters the bucket: its history may be shorter now.
void look_again(int64 bucket_id);

} // namespace weir::kv
