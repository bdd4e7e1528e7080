// SPDX-License-Identifier: PostgreSQL
//
// Best-effort frames: what is retained of them, and getting rid of the rest.
//
// A frame is retained while it is among the newest K (by ordinal) and younger
// than its ttl, K being that of the newest frame. Readers hold to that exactly;
// rows that fell out are deleted by the housekeeper, a run at a time, so the cost is a
// constant per frame; by an append, too, where the housekeeper cannot keep up, or
// is not to be had. Trimming goes on from where it last stopped (floor), not through
// what is dead already.
#pragma once

#include "pg/pg.hpp"

#include "log/scan.hpp"
#include "stream/frame.hpp"

namespace weir::stream {

struct retention {
    bool any;            // there is a visible best-effort frame
    int64 newest_id;     // of the newest one
    int64 after;         // nothing at or below it is retained
    int64 above_ordinal; // nothing with an ordinal up to it is retained
    best_effort_prefix newest;
};

// As of now and of what the snapshot sees.
retention retained(log::table &best_effort, int64 stream_id, Snapshot snapshot, log::purpose why);
retention retained(int64 stream_id, Snapshot snapshot); // opens the table for itself

inline bool is_retained(best_effort_prefix const &row, retention const &r, int64 now_ms) {
    return ordinal_of(row) > r.above_ordinal && row.ttl_ms > 0 && (row.id >> 20) + row.ttl_ms > now_ms;
}

// After an append of count frames.
bool is_worth_a_trim(int64 stream_id, int64 last_ordinal, int64 maxlen, int count);

} // namespace weir::stream
