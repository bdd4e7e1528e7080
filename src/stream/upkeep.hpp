// SPDX-License-Identifier: PostgreSQL
//
// Checkpoints: folds kept beside the log, so that reading a summary or counts
// costs what was appended since, not what was ever appended. Appends write one
// every 512 or 1024 frames; it is inserted and commits with them.
//
// Two checkpoints stay: the newest, and the one at the edge of what was trimmed,
// from which older states can still be computed.
#pragma once

#include "pg/pg.hpp"

#include "stream/fold.hpp"
#include "stream/writer.hpp"

namespace weir::stream {

// After an append of count frames. Never waits: where another transaction is at it,
// it is left to that one.
void upkeep(int64 stream_id, written const &appended, int count);

// Replaces a stream's checkpoints; edge.position < 0: there is no edge to keep.
void save_checkpoints(int64 stream_id, folded const &edge, folded const &newest);

void forget_checkpoints(int64 stream_id);

} // namespace weir::stream
