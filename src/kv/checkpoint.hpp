// SPDX-License-Identifier: PostgreSQL
//
// How far housekeeping has come in a bucket, what it found up to there, and what it removed. Rows are inserted
// and deleted, so that the newest is found whatever an old snapshot keeps, and a reader sees with the floors of its
// snapshot what that shows.
//
//   position   every change up to it was settled, and has taken out what it made superfluous
//   floors     a state as of before `history` may be missing changes, a cursor below `changes` has missed some
//              that nothing later makes up for
#pragma once

#include "pg/pg.hpp"

namespace weir::kv {

struct checkpoint {
    int64 position; // 0: there is none yet
    int64 keys;     // that are there at it
    int64 kept;     // changes up to it that are still there
    int64 bytes;    // of those
    int64 written;  // the running count of bytes at it
    int64 history_floor;
    int64 changes_floor;
};

checkpoint checkpoint_of(int64 bucket_id, Snapshot snapshot);

// Replaces it. Under the bucket's maintenance lock.
void save_checkpoint(int64 bucket_id, checkpoint const &c);
void forget_checkpoint(int64 bucket_id);

} // namespace weir::kv
