// SPDX-License-Identifier: PostgreSQL
//
// Idempotency keys: the first call under a key is remembered, with a digest of
// what it asked for and what it returned, in its own transaction. A second one
// waits for the first to end; then it gets the first's result, or its turn.
#pragma once

#include "pg/pg.hpp"

#include "stream/writer.hpp"

namespace weir::stream {

// True: the key was used before and result is what that call returned. False: the
// key is ours, and record() must follow. Raises idempotency_conflict.
bool recall_result(int64 stream_id, request const &r, written &result);

void record_result(int64 stream_id, request const &r, written const &result);

void forget_keys(int64 stream_id);

} // namespace weir::stream
