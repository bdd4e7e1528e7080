// SPDX-License-Identifier: PostgreSQL
//
// Where a subscription stands in a stream. A cursor moves by inserting its next turn
// and deleting the one before; it is never updated. It is found by one descent to the
// last turn in the index, so that it costs the same however many
// old turns an old snapshot keeps from being vacuumed.
//
// Under the subscription's lock (subscription.hpp), which lasts until commit: so the newest snapshot
// shows the one turn that counts.
#pragma once

#include "pg/pg.hpp"

namespace weir::outbox {

struct cursor {
    bool stored;
    int64 position; // everything up to it is done with
    int64 frames;   // that the stream ever had up to there
    TimestampTz moved_at;
    int64 turn;
    ItemPointerData tid;
};

// The subscription itself has one too, which says when it was last seen.
inline constexpr int64 of_itself = 0;

// Not stored: one at the very beginning.
cursor find_cursor(int64 subscription_id, int64 stream_id, Snapshot snapshot);

void move_cursor(int64 subscription_id, int64 stream_id, cursor const &from, int64 position, int64 frames);

void remove_cursor(cursor const &c);

// All of a subscription.
void remove_cursors(int64 subscription_id, Snapshot snapshot);

} // namespace weir::outbox
