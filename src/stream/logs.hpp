// SPDX-License-Identifier: PostgreSQL
//
// Streams as logs like any other, for the layers below that know no family.
#pragma once

#include "pg/pg.hpp"

namespace weir::stream {

// From _PG_init: their kind of name, and what the doorbell asks about them.
void register_streams();

} // namespace weir::stream
