// SPDX-License-Identifier: PostgreSQL
//
// Asking the slotmaster for a worker.
#pragma once

#include "pg/pg.hpp"

#include "worker/worker.hpp"

namespace weir::worker {

// False: all slots for workers are taken.
bool register_worker(Oid database, kind which);

} // namespace weir::worker
