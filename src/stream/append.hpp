// SPDX-License-Identifier: PostgreSQL
//
// An append as every caller makes it: find the stream, mind the idempotency key and
// the fence, write, and every so often ask the housekeeper for some upkeep.
#pragma once

#include "pg/pg.hpp"

#include "stream/writer.hpp"

namespace weir::stream {

written append(request const &r);

} // namespace weir::stream
