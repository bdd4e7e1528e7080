// SPDX-License-Identifier: PostgreSQL
//
// One look at a stream for somebody who waits: whether what reads it from a cursor would be given
// something, and if not, whether there is a reason not to wait on.
#pragma once

#include "pg/pg.hpp"

#include "doorbell/logs.hpp"
#include "stream/rows.hpp"

namespace weir::stream {

using doorbell::outlook;
using doorbell::watched;

// Looks at so many rows, that nobody else has to wait for the snapshot of it.
inline constexpr int max_looked_at = 100000;

// Whether something that is wanted lies behind a position; moves it past what is not, so that the next look
// goes on from there. nullptr: everything is wanted, best-effort frames too.
outlook look_behind(int64 stream_id, int64 &position, filter const *wanted, row_names const &names, int &room,
                    Snapshot snapshot);

// Raises where the cursor lies ahead of the log.
outlook look_at(watched &w, Snapshot snapshot);

} // namespace weir::stream
