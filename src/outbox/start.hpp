// SPDX-License-Identifier: PostgreSQL
//
// Where in a stream a cursor is set: from now on, at the first frame that is there,
// behind a given position, or at a point in time. Never ahead of what is settled, never
// where a trim has already taken something from behind it.
#pragma once

#include "pg/pg.hpp"

namespace weir::outbox {

struct start {
    int64 position;
    int64 frames; // that the stream ever had up to there
};

struct place {
    // The least stands for the oldest frame there is, the greatest for now. Any other
    // has to be one that the stream once gave out, and nothing behind it trimmed.
    int64 position;
    bool is_time; // not so: whatever comes behind it will do
};

// Exactly one of a position and a time; neither: if_neither.
place take_place(FunctionCallInfo fcinfo, int position_argument, int since_argument, const char *called,
                 int64 if_neither);

// strict: a position ahead of the stream is an error, not the end of it.
start find_start(std::string_view stream, int64 stream_id, place const &to, bool strict, Snapshot snapshot);

} // namespace weir::outbox
