// SPDX-License-Identifier: PostgreSQL
//
// Removing the oldest frames of a stream, for whoever decides which those are.
#pragma once

#include "pg/pg.hpp"

namespace weir::stream {

// Removes what lies below cutoff, which must not lie beyond what is settled for the
// snapshot, and keeps what the stream amounted to there. Under the stream's maintenance
// lock. Returns how many frames.
int64 trim_settled(std::string_view name, int64 stream_id, int64 cutoff, Snapshot snapshot);

} // namespace weir::stream
