// SPDX-License-Identifier: PostgreSQL
//
// What a worker does in one round, a kind of worker each.
#pragma once

#include "pg/pg.hpp"

namespace weir::worker {

enum class result {
    nothing, // to do
    done,
    not_now, // there is work, and a reason to wait
    gone     // the extension is
};

// Sends what has been left behind since the last round. others_us: what it costs those who are told.
result doorbell_round(int64 &others_us);
void put_back_doorbell();

// A vacuum, if it is worth one.
result vacuum_round(MemoryContext memory);

} // namespace weir::worker
