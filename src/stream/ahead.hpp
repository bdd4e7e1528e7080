// SPDX-License-Identifier: PostgreSQL
//
// Cursors on what this server does not have: somebody read it on another server, or
// before a restore. They are told so (WR003), however much has come since.
//
//   from the life under way   ahead of the stream and of the clock: nothing that was committed in this life is
//                             lost, so what is ahead of the stream alone is a time, or was never committed
//   from a life that is over  on a row that was undone; or beyond the last row that the
//                             stream has of that life, unless what was lost there can only
//                             have been best-effort frames
//
// Costs a comparison where the cursor is from the life under way, and a descent or two else.
#pragma once

#include "pg/pg.hpp"

namespace weir::stream {

// Before reading on from a cursor: whether it is from a life that is over, and lost there.
// stream_id: 0 where the name is not known, and lost with it.
void check_not_lost(std::string_view name, int64 stream_id, int64 after, Snapshot snapshot);

// Whether the position lies ahead of the stream and of the clock. On a standby nothing does: it may just not have
// it yet.
bool is_beyond(int64 stream_id, int64 position);

// Where nothing came after it: also one of the life under way.
void check_not_ahead(std::string_view name, int64 stream_id, int64 after, Snapshot snapshot);

} // namespace weir::stream
