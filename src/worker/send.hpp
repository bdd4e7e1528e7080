// SPDX-License-Identifier: PostgreSQL
//
// The work of the doorbell's worker.
#pragma once

#include "pg/pg.hpp"

#include "worker/vacuum.hpp"

namespace weir::worker {

// Sends what has been left behind since the last round.
result doorbell_round();
void put_back_doorbell();

} // namespace weir::worker
