// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/pg.hpp"

namespace weir::kv {

// Whether there is such a bucket: created, or put into, and not dropped since.
bool is_there(int64 bucket_id, Snapshot snapshot);

} // namespace weir::kv
