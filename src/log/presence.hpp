// SPDX-License-Identifier: PostgreSQL
//
// Whether a position is one of a log's.
#pragma once

#include "pg/pg.hpp"

#include "log/table.hpp"

namespace weir::log {

enum class presence {
    none,    // no row has it; one that rolled back may have been vacuumed
    visible, // to the snapshot
    undone,  // its transaction rolled back, or was cut off
    other    // in flight, deleted, or committed since
};

presence presence_of(table const &t, int64 key, int64 id, Snapshot snapshot);

} // namespace weir::log
