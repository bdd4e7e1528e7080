// SPDX-License-Identifier: PostgreSQL
//
// What may be remembered across calls. A transaction's changes become visible before its
// invalidations are sent, and any opening of a table may process some. So what a look-up
// finds under its snapshot can be outdated, and the cache told to forget it, before it
// is stored there at all. Therefore
//
//     uint64 before = pg::invalidations();       -- first
//     Snapshot latest = …;                       -- then the snapshot
//     … the look-up …
//     if (pg::invalidations() == before)         -- last, right before it is stored
//         … remember …
//
// Whoever committed before the snapshot is seen by it; whoever commits later has yet to
// send its invalidations, and is either counted here or will make the cache forget.
#pragma once

#include "pg/pg.hpp"

namespace weir::pg {

// How many invalidations this backend has processed: of relations, types, schemas, operators
// and collations, anybody's. So what hangs on the count must be cheap to make anew. Nothing
// is to be freed because it has moved: an invalidation comes in the middle of anything, and
// what is in use has to stay until its user is through with it.
uint64 invalidations();

} // namespace weir::pg
