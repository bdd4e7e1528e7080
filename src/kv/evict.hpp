// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/pg.hpp"

#include "kv/checkpoint.hpp"

namespace weir::kv {

// Of a bucket that lets the oldest keys go where there is no room: lets some expire, as of a checkpoint behind which
// there is nothing. Waits for nobody. True: there is more to go.
bool make_room(int64 bucket_id, checkpoint const &c);

} // namespace weir::kv
