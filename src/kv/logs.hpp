// SPDX-License-Identifier: PostgreSQL
//
// Buckets as a kind of logs: their names, and what the doorbell asks of them.
#pragma once

namespace weir::kv {

// From _PG_init.
void register_buckets();

} // namespace weir::kv
