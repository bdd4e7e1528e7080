// SPDX-License-Identifier: PostgreSQL
//
// The errors of a call on a lease that the caller does not have (any more).
#pragma once

#include "pg/pg.hpp"

#include "lease/row.hpp"

namespace weir::lease {

// standing: any but live.
[[noreturn]] void reject(row const &r, core::standing why, int64 epoch);

} // namespace weir::lease
