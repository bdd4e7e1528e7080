// SPDX-License-Identifier: PostgreSQL
//
// Where the next epoch of a lease comes from: one above its last. For a name that is
// not in the table, one above every epoch of the names that were forgotten, since it
// may be one of them.
//
// A failover may lose the last transactions of the old server, and epochs with them that
// somebody works at; a restored dump does not know of those given out after it was
// taken. So a lease last issued in another line of the database's history goes on far above
// what is known of it, and new names above everything known.
#pragma once

#include "pg/pg.hpp"

#include "lease/row.hpp"

namespace weir::lease {

// Sets epoch and line of a lease about to be issued.
void next_epoch(row &r);

// Before a lease with that epoch is removed.
void remember_epoch(int64 epoch);

} // namespace weir::lease
