// SPDX-License-Identifier: PostgreSQL
//
// What belongs to a bucket, rather than to a call: its properties, set by create_bucket() and alter_bucket()
// (name/properties.hpp). A test compares the declarations and comments in sql/kv.sql with this table.
#pragma once

#include "pg/pg.hpp"

#include "name/properties.hpp"

namespace weir::kv {

using name::change;
inline constexpr int none = name::no_default;

// name, type, least and greatest, default or none, whether it may be altered later.
// clang-format off
#define WEIR_BUCKET_PROPERTIES(property)                                                                               \
    property(history,         integer,  1, 10000,            1,    true)                                               \
    property(ttl,             age,      1, name::century_ms, none, true)                                               \
    property(max_value_bytes, integer,  1, 268435456,        none, true)                                               \
    property(max_bytes,       bigint,   1, name::no_end,     none, true)                                               \
    property(evict,           boolean,  0, 1,                0,    true)
// clang-format on

enum class property {
#define WEIR_NAME(name, type, least, greatest, otherwise, alterable) name,
    WEIR_BUCKET_PROPERTIES(WEIR_NAME)
#undef WEIR_NAME
        count
};
inline constexpr int property_count = static_cast<int>(property::count);
static_assert(property_count <= name::max_properties);

struct properties : name::property_values {
    int64 integer(property p) const { return values[static_cast<int>(p)].integer; }
    bool is_set(property p) const { return name::property_values::is_set(static_cast<int>(p)); }
};

// Of a bucket by its id, defaults where nothing else was said.
properties properties_of(int64 bucket_id);

properties default_properties();
properties take_properties(FunctionCallInfo fcinfo, change how, properties const &before);

// A time to live as an argument, with the range of the property, in milliseconds; not NULL.
int64 ttl_argument(FunctionCallInfo fcinfo, int n);

// Replaces what is kept of a bucket. is_new: with this transaction, so that nobody else can have looked yet.
void keep_properties(int64 bucket_id, properties const &p, bool is_new);

// Those that are set, as people write them.
Jsonb *show_properties(properties const &p);

} // namespace weir::kv
