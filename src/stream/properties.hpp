// SPDX-License-Identifier: PostgreSQL
//
// What belongs to a stream, rather than to a call: its properties, set by create_stream() and
// alter_stream(). One line of the table below is one property, and all there is to adding
// one: from it follow the parameter of both functions, its range and its error texts, how it
// is kept (a member of weir.stream_property.properties, so dumps carry it), what stream_info()
// shows and what list_stream_properties() says. A test compares the declarations and comments
// in sql/stream.sql with it. Where a property is used, ask for it by its name.
//
// A backend remembers the properties of a stream by its id, and forgets them by the
// invalidation that whoever alters them sends. They are those that are committed, or one's
// own, whatever the statement's snapshot shows.
#pragma once

#include "pg/pg.hpp"

namespace weir::stream {

enum class property_type {
    text,
    interval,
    age,  // an interval, of which one below a minute is likely to be meant otherwise: '7' is seven seconds
    time, // in milliseconds since 1970
    integer,
    bigint,
    real
};

inline constexpr double no_end = 9007199254740992.0; // what every client's numbers can say
inline constexpr int day_ms = 86400000;
inline constexpr double century_ms = 36525.0 * day_ms;
inline constexpr double last_ms = 4102444800000.0 * 2; // of times, in the year 2230
inline constexpr int none = -1;                        // where it has no default

// name, type (an interval is kept in milliseconds), least and greatest (a text: bytes), default or
// none, whether it may be altered later.
// clang-format off
#define WEIR_STREAM_PROPERTIES(property)                                                                               \
    property(null_sentinel,  text,     1, 512,        "__weir_null__", false)                                          \
    property(frame_ttl,      interval, 1, day_ms,     30000,           true)                                           \
    property(maxlen_floor,   integer,  1, 10000000,   64,              true)                                           \
    property(maxlen_ceiling, integer,  1, 10000000,   16384,           true)                                           \
    property(rate_alpha,     real,     0, 1,          0.2,             true)                                           \
    property(max_frame_bytes, integer, 1, 268435456,  none,            true)                                           \
    property(max_age,        age,      1, century_ms, none,            true)                                           \
    property(max_frames,     bigint,   0, no_end,     none,            true)                                           \
    property(hold_age,       age,      1, century_ms, 7 * day_ms,      true)                                           \
    property(hold_frames,    bigint,   0, no_end,     1000000,         true)                                           \
    property(ttl,            age,      1, century_ms, none,            true)                                           \
    property(expires_at,     time,     0, last_ms,    none,            true)
// clang-format on

enum class property {
#define WEIR_NAME(name, type, least, greatest, otherwise, alterable) name,
    WEIR_STREAM_PROPERTIES(WEIR_NAME)
#undef WEIR_NAME
        count
};
inline constexpr int property_count = static_cast<int>(property::count);

union property_value {
    int64 integer; // also an interval
    double real;
    const char *text; // good until properties are looked up again

    constexpr property_value() : integer(0) {}
    constexpr property_value(int n) : integer(n) {}
    constexpr property_value(double d) : real(d) {}
    constexpr property_value(const char *s) : text(s) {}
};

struct properties {
    uint32 set;   // a bit for each that is not left to its default
    int64 due_ms; // not before that does the stream end; 0: it does not (lifetime.hpp)
    property_value values[property_count];

    int64 integer(property p) const { return values[static_cast<int>(p)].integer; }
    double real(property p) const { return values[static_cast<int>(p)].real; }
    const char *text(property p) const { return values[static_cast<int>(p)].text; }
    bool is_set(property p) const { return set & (uint32{1} << static_cast<int>(p)); }
};
static_assert(property_count <= 32);

// Of a stream by its id, defaults where nothing else was said.
properties properties_of(int64 stream_id);

// Those that a snapshot shows, which are not remembered. Texts are palloc'd.
properties properties_seen(int64 stream_id, Snapshot snapshot);

// What a call to create_stream() or alter_stream() gives, by the names of its parameters.
// before: what it is to change.
enum class change { create, alter };
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
