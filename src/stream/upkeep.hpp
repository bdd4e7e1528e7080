// SPDX-License-Identifier: PostgreSQL
//
// Checkpoints: folds kept beside the log, so that reading a summary or counts
// costs what was appended since, not what was ever appended. The housekeeper writes one
// every 512 or 1024 frames, asked by the append that makes it worth while.
//
// Two checkpoints stay: the newest, and the one at the edge of what was trimmed,
// from which older states can still be computed.
#pragma once

#include "pg/pg.hpp"

#include "stream/fold.hpp"

namespace weir::stream {

// Replaces a stream's checkpoints; edge.position < 0: there is no edge to keep.
void save_checkpoints(int64 stream_id, folded const &edge, folded const &newest);

void forget_checkpoints(int64 stream_id);

} // namespace weir::stream
