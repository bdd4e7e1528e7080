// SPDX-License-Identifier: PostgreSQL
//
// A subscription belongs to the role that made it: that role and its members fetch from it, move and
// remove it, and see it listed. So do those at level admin (who have EXECUTE on
// weir.give_subscription()), since what a dropped role leaves behind is nobody's otherwise.
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
