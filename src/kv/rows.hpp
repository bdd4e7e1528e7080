// SPDX-License-Identifier: PostgreSQL
//
// Changes as rows of a result.
#pragma once

#include "pg/pg.hpp"

#include "kv/change.hpp"
#include "pg/function.hpp"

namespace weir::kv {

// Fetched where it lies out of line, while the snapshot that keeps it is held.
Datum fetched(Datum value);

// As weir.kv_change.
void add_change(pg::result_set const &rows, TupleTableSlot *slot);

// A row that is no change: everything settled was looked at up to here.
void add_bookmark(pg::result_set const &rows, int64 position);

} // namespace weir::kv
