// SPDX-License-Identifier: PostgreSQL
//
// One look at a stream for somebody who waits: whether what reads it from a cursor would be given
// something, and if not, whether there is a reason not to wait on.
#pragma once

#include "pg/pg.hpp"

#include "stream/rows.hpp"

namespace weir::stream {

enum class outlook {
    nothing,    // yet
    unfinished, // nothing among the many that were looked at, and there are more
    frames,     // a frame, or the mark of a close
    closed,     // and the cursor stands behind the mark: nothing will ever come
    dropped,    // behind the cursor, and not made again
    expired     // frames behind the cursor were removed
};

// As weir.wait() says it; for `nothing`, that the time is over.
const char *name_of(outlook o);

// Looks at so many rows, that nobody else has to wait for the snapshot of it.
inline constexpr int most_looked_at = 100000;

// Whether something that is wanted lies behind a position; moves it past what is not, so that the next look
// goes on from there. nullptr: everything is wanted, best-effort frames too.
outlook look_behind(int64 stream_id, int64 &position, filter const *wanted, row_names const &names, int &room,
                    Snapshot snapshot);

struct watched {
    std::string_view name;
    int64 after;    // the reader's cursor; -1: the beginning
    bool was_there; // when last looked at
};

// Raises where the cursor lies ahead of the log.
outlook look_at(watched &w, row_names const &names, Snapshot snapshot);

} // namespace weir::stream
