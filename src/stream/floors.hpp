// SPDX-License-Identifier: PostgreSQL
//
// How far the best-effort frames of a stream have been trimmed, as far as that has
// committed: writers carry it on in their rows, so that neither readers nor the next
// trim walk through what is dead already. A hint in a small table of shared memory: what
// is not in it any more costs a walk.
#pragma once

#include "pg/pg.hpp"

namespace weir::stream {

// Attaches, so that the others cannot fail.
void prepare_floors();

// -1: not known.
int64 trimmed_floor(int64 stream_id);
void publish_floor(int64 stream_id, int64 floor);

// As log::request_shared_memory().
void request_floors();

} // namespace weir::stream
