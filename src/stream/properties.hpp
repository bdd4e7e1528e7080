// SPDX-License-Identifier: PostgreSQL
//
// What belongs to a stream, rather than to a call: its properties, set by create_stream() and
// alter_stream(). One line of the table below is one property, and all there is to adding
// one (name/properties.hpp). A test compares the declarations and comments in sql/stream.sql with
// it. Where a property is used, ask for it by its name.
#pragma once

#include "pg/pg.hpp"

#include "name/properties.hpp"

namespace weir::stream {

using name::change;
using name::day_ms;
inline constexpr int none = name::no_default;

// name, type, least and greatest, default or none, whether it may be altered later (name/properties.hpp).
// clang-format off
#define WEIR_STREAM_PROPERTIES(property)                                                                               \
    property(null_sentinel,   text,     1, 512,              "__weir_null__", false)                                   \
    property(frame_ttl,       interval, 1, day_ms,           30000,           true)                                    \
    property(maxlen_floor,    integer,  1, 10000000,         64,              true)                                    \
    property(maxlen_ceiling,  integer,  1, 10000000,         16384,           true)                                    \
    property(rate_alpha,      real,     0, 1,                0.2,             true)                                    \
    property(max_frame_bytes, integer,  1, 268435456,        none,            true)                                    \
    property(max_age,         age,      1, name::century_ms, none,            true)                                    \
    property(max_frames,      bigint,   0, name::no_end,     none,            true)                                    \
    property(hold_age,        age,      1, name::century_ms, 7 * day_ms,      true)                                    \
    property(hold_frames,     bigint,   0, name::no_end,     1000000,         true)                                    \
    property(ttl,             age,      1, name::century_ms, none,            true)                                    \
    property(expires_at,      time,     0, name::last_ms,    none,            true)
// clang-format on

enum class property {
#define WEIR_NAME(name, type, least, greatest, otherwise, alterable) name,
    WEIR_STREAM_PROPERTIES(WEIR_NAME)
#undef WEIR_NAME
        count
};
inline constexpr int property_count = static_cast<int>(property::count);
static_assert(property_count <= name::max_properties);

// due_ms: not before that does the stream end; 0: it does not (lifetime.hpp).
struct properties : name::property_values {
    int64 integer(property p) const { return values[static_cast<int>(p)].integer; }
    double real(property p) const { return values[static_cast<int>(p)].real; }
    const char *text(property p) const { return values[static_cast<int>(p)].text; }
    bool is_set(property p) const { return name::property_values::is_set(static_cast<int>(p)); }
};

// Of a stream by its id, defaults where nothing else was said.
properties properties_of(int64 stream_id);

// Those that a snapshot shows, which are not remembered. Texts are palloc'd.
properties properties_seen(int64 stream_id, Snapshot snapshot);

// What a call to create_stream() or alter_stream() gives, by the names of its parameters.
// before: what it is to change.
properties take_properties(FunctionCallInfo fcinfo, change how, properties const &before);
properties default_properties();

// Raises 22023 for those that contradict each other.
void properties_agree(properties const &p);

// An argument with the range of a property that is an interval, in milliseconds.
int64 interval_argument(FunctionCallInfo fcinfo, int n, const char *called, property p);

// Replaces what is kept of a stream. is_new: with this transaction, so that nobody else can
// have looked yet. Under the stream's maintenance lock otherwise.
void keep_properties(int64 stream_id, properties const &p, bool is_new);

// Those that are set, as people write them.
Jsonb *show_properties(properties const &p);

} // namespace weir::stream
