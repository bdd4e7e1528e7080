// SPDX-License-Identifier: PostgreSQL
//
// The fence: work goes on only under a lease that is live at the epoch named, and
// from the check until the worker's commit the lease is neither issued again nor
// ended: who wants to waits. So once another holds the lease, nothing of the old
// epoch can still become visible.
//
// It costs a lock in shared memory and one index lookup; no row is written.
#pragma once

#include "pg/pg.hpp"

#include "stream/fence.hpp"

namespace weir::lease {

using fence = stream::fence;

// Raises unless the lease is live at that epoch. Waits for a transaction that is
// issuing or ending it. Returns when it expires, on the clock of leases.
TimestampTz hold(fence const &f);

// From _PG_init: appends are fenced by leases.
void register_fence();

} // namespace weir::lease
