// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/pg.hpp"

namespace weir::pg {

// A snapshot of now that sees what this transaction has done so far, also in the
// running statement. Registered.
inline Snapshot take_snapshot() {
    CommandCounterIncrement();
    return RegisterSnapshot(GetLatestSnapshot());
}

} // namespace weir::pg
