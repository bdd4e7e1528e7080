// SPDX-License-Identifier: PostgreSQL
//
// How frames lie in their two tables (sql/stream.sql). The leading columns are
// fixed-width and NOT NULL, so each has a struct laid over the row's data: the
// writer reads its predecessor's and fills in its own under the log's lock.
//
// Durable frames, patches and the marks of a stream's life go to frame_log, and
// best-effort frames to frame_best_effort: a frame's durability is its table's. Both
// share one order of positions.
//
// At least one row of a stream stays in frame_log or frame_best_effort once it exists:
// whoever removes the newest puts a mark behind it first. So the next position
// and the running columns always have a predecessor to go on from.
#pragma once

#include "pg/pg.hpp"

#include "log/range.hpp"
#include "log/table.hpp"

namespace weir::stream {

enum class mode : char {
    durable = 'd',
    summary = 's',
    replace = 'r', // a patch of nothing: the document is what it says, whatever was before
    close = 'c',   // the end, delivered to readers
    dropped = 'x', // everything before it is gone, what follows is a new stream
    ended = 'e',   // the last row ever: the lifetime was over, and the name has another log by now
    trimmed = 't', // stands in for the newest row that a trim removed
    guard = 'g'    // behind rows that are inserted after the log's lock (log/range.hpp)
};

// Set in the ordinal of a row that was written behind a drop mark of its own
// transaction: what it continues is undecided until that transaction ends.
inline constexpr int64 behind_own_drop = int64{1} << 62;

struct log_prefix {
    int64 stream_id;
    int64 id;
    int64 ordinal; // counts the rows given out in this stream, also those rolled back; flags above (log/range.hpp)
    int64 version; // of the summary as of this row, and how large it can be (core/document_bound.hpp)
    char mode;
};

struct best_effort_prefix {
    int64 stream_id;
    int64 id;
    int64 ordinal;      // as above, over best-effort frames alone
    int64 floor;        // trimming has passed everything at or below it
    double rate;        // the estimator's state after this frame (core/rate.hpp)
    int64 window_start; // microseconds since 1970
    int64 window_count;
    int32 maxlen; // K in force with this frame
    int32 ttl_ms; // 0: a mark, for no reader
};
static_assert(offsetof(log_prefix, mode) == 32 && offsetof(best_effort_prefix, ttl_ms) == 60);

inline bool is_patch(mode m) { return m == mode::summary || m == mode::replace; }

// A row that somebody appended, not a mark.
inline bool is_frame(log_prefix const &row) {
    return row.mode == static_cast<char>(mode::durable) || is_patch(static_cast<mode>(row.mode));
}

// A guard, which is for nobody but the log's own rules.
inline bool is_guard(log_prefix const &row) { return row.mode == static_cast<char>(mode::guard); }
inline bool is_guard(best_effort_prefix const &row) {
    return row.ttl_ms == 0 && log::first_of_range(row.id, row.ordinal) < row.id;
}

template <class Prefix> int64 ordinal_of(Prefix const &row) { return row.ordinal & log::count_mask; }

// Attribute numbers. The four that describe a frame come in one order in both tables.
namespace log_column {
enum { stream_id = 1, id, ordinal, version, mode, type, payload, bytes, headers };
inline constexpr int count = headers;
} // namespace log_column
namespace best_effort_column {
enum {
    stream_id = 1,
    id,
    ordinal,
    floor,
    rate,
    window_start,
    window_count,
    maxlen,
    ttl_ms,
    type,
    payload,
    bytes,
    headers
};
inline constexpr int count = headers;
} // namespace best_effort_column

extern log::source log_source;
extern log::source best_effort_source;

} // namespace weir::stream
