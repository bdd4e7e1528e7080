// SPDX-License-Identifier: PostgreSQL
//
// Names of buckets: the registry (name/registry.hpp), as far as it is of this kind.
#pragma once

#include "pg/pg.hpp"

#include "name/registry.hpp"

namespace weir::kv {

inline constexpr name::kind buckets{'b', "bucket"};
inline constexpr const char *bucket_name = "bucket name"; // in messages

inline int64 find(std::string_view name, Snapshot snapshot) { return name::find(buckets, name, snapshot); }
inline int64 next_bucket(int64 after) { return name::next(buckets, after); }

} // namespace weir::kv
