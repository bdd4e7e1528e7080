// SPDX-License-Identifier: PostgreSQL
//
// What of a bucket is settled, and whether a cursor has missed something of it.
#pragma once

#include "pg/pg.hpp"

#include "kv/checkpoint.hpp"

namespace weir::kv {

struct frontier {
    int64 head;            // the newest settled change, -1: there is none
    int64 unsettled;       // -1: all is settled
    TransactionId blocker; // whose it is
};
frontier find_frontier(int64 bucket_id, Snapshot snapshot);

// The newest position that is physically there, -1: none.
int64 newest_position(int64 bucket_id);

// Raises WR004 where changes behind the cursor were removed that nothing later makes up for, WR003 where it lies ahead
// of the bucket, or was lost in a failover, a restore or a crash. bucket_id: 0 where there is none.
void check_cursor(std::string_view bucket, int64 bucket_id, int64 cursor, checkpoint const &c, Snapshot snapshot);

} // namespace weir::kv
