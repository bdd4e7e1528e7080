// SPDX-License-Identifier: PostgreSQL
//
// What state a stream is in, as far as a snapshot sees: whether it is there at all,
// and whether it has ended. Its newest logged row says so, being a mark or not.
#pragma once

#include "pg/pg.hpp"

namespace weir::stream {

struct state {
    bool there;
    bool closed;
    int64 newest_logged;         // position of the newest logged row, mark or not, -1: none
    NullableDatum close_payload; // palloc'd
};

state state_of(int64 stream_id, Snapshot snapshot);

} // namespace weir::stream
