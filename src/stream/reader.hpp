// SPDX-License-Identifier: PostgreSQL
//
// The reader rule over both tables of a stream: one snapshot, two scans merged in
// the order of positions, stopped by the first unsettled row of either.
//
// Best-effort rows that retention has let go are passed over, wherever the
// physical trim stands. On a standby unlogged tables cannot be read: there a
// stream has its logged frames only.
#pragma once

#include "pg/pg.hpp"

#include "log/scan.hpp"
#include "stream/best_effort.hpp"

namespace weir::stream {

struct reader {
    int64 stream_id;
    Snapshot snapshot;
    ScanDirection direction;
    bool with_best_effort;
    retention kept;
    int64 now_ms;
    log::table logged_table;
    log::table unlogged_table;
    log::scan logged;
    log::scan unlogged;
    log::step logged_step; // what the scan stands on
    log::step unlogged_step;
    bool primed;
    // The current row.
    log::scan *at;
    bool best_effort;
    int64 unsettled; // where it stopped, -1: it did not
    TransactionId blocker;
};

// Rows with after < id <= upto. Backward: upto must not lie beyond what is settled. What a
// trim has taken is not walked again, for as long as nobody has vacuumed it.
void open_reader(reader &r, int64 stream_id, int64 after, int64 upto, bool with_best_effort, ScanDirection direction,
                 Snapshot snapshot);
// The next row of either table, marks too; false at the end or at what is unsettled.
bool advance(reader &r);
void close_reader(reader &r);

struct frontier {
    int64 head;      // the newest settled position, -1: none
    int64 unsettled; // the first unsettled row, -1: none
    TransactionId blocker;
};

frontier find_frontier(int64 stream_id, Snapshot snapshot, bool with_best_effort);

// The newest position that is physically there, settled or not, -1: none.
int64 newest_position(int64 stream_id);

// Whether a row is for readers, or a mark of the log's own.
bool is_for_readers(reader const &r);

} // namespace weir::stream
