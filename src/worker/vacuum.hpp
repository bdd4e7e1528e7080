// SPDX-License-Identifier: PostgreSQL
//
// The work of the vacuum worker.
#pragma once

#include "pg/pg.hpp"

namespace weir::worker {

enum class result {
    nothing, // to do
    done,
    not_now, // there is work, and a reason to wait
    gone     // the extension is
};

// A round, if it is worth one.
result vacuum_round(MemoryContext memory);
void put_back_vacuum();

} // namespace weir::worker
