// SPDX-License-Identifier: PostgreSQL
//
// A subscription belongs to the role that made it: that role and its members fetch from it, move and
// remove it, and see it listed. So do those at level admin for all names, since what a dropped role leaves
// behind is nobody's otherwise. What it gives them is what its owner may read.
// Members of pg_read_all_stats see it listed.
//
// The owner is kept as a regrole: it stays when the role is renamed, and dumps as its name.
#pragma once

#include "outbox/subscription.hpp"

namespace weir::outbox {

bool may_see(subscription const &s);

// Raises 42501 unless the caller may use it.
void require_owner(subscription const &s);

} // namespace weir::outbox
