// SPDX-License-Identifier: PostgreSQL
//
// The sweep as a job of the housekeeper: it comes when the first lease expires.
#pragma once

#include "pg/pg.hpp"

namespace weir::lease {

// From _PG_init.
void register_sweep();

// A transaction grants a lease for so long.
void ask_to_sweep(int64 ttl_us);

} // namespace weir::lease
