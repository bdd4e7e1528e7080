// SPDX-License-Identifier: PostgreSQL
//
// Properties of the logs of a family: what belongs to a thing rather than to a call, set by its create_…() and
// alter_…(). A family describes each of its properties in one line of a table. From it follow the parameter of
// both functions, its range and its error texts, how it is kept (a member of the column properties of the family's
// table, so dumps carry it), how it is shown and what list_…_properties() says.
//
// A backend remembers the properties of a log by its id, and forgets them by the invalidation that whoever alters
// them sends. They are those that are committed, or one's own, whatever the statement's snapshot shows.
#pragma once

#include "pg/pg.hpp"

#include "log/table.hpp"
#include "name/kind.hpp"
#include "pg/function.hpp"

namespace weir::name {

enum class property_type {
    text,
    interval, // kept in milliseconds
    age,      // an interval, of which one below a minute is likely to be meant otherwise: '7' is seven seconds
    time,     // in milliseconds since 1970
    integer,
    bigint,
    real,
    boolean // kept as 0 or 1
};

inline constexpr double no_end = 9007199254740992.0; // what every client's numbers can say
inline constexpr int day_ms = 86400000;
inline constexpr double century_ms = 36525.0 * day_ms;
inline constexpr double last_ms = 4102444800000.0 * 2; // of times, in the year 2230
inline constexpr int no_default = -1;

union property_value {
    int64 integer; // also an interval, a time, a boolean
    double real;
    const char *text; // good until properties are looked up again

    constexpr property_value() : integer(0) {}
    constexpr property_value(int n) : integer(n) {}
    constexpr property_value(double d) : real(d) {}
    constexpr property_value(const char *s) : text(s) {}
};

struct property_description {
    const char *name;
    property_type type;
    double least, greatest; // a text: bytes
    property_value otherwise;
    bool alterable;
};

inline constexpr int max_properties = 16;

// Values are by the place of their descriptions.
struct property_values {
    uint32 set;   // a bit for each that is not left to its default
    int64 due_ms; // of a family that keeps such a time beside them, else 0
    property_value values[max_properties];

    bool is_set(int i) const { return set & (uint32{1} << i); }
};

// All that a family says of its properties. Lasts as long as the library.
struct property_family {
    kind const &of;
    property_description const *described;
    int count;
    const char *lister;             // "weir.list_stream_properties()"
    log::source table;              // the id of a log, its properties as a JSON object
    log::source index;              // of its primary key, the id
    int due_column;                 // 0: there is none
    struct memory *known = nullptr; // of this backend
};

property_values default_properties(property_family const &f);

// Of a log by its id, defaults where nothing else was said.
property_values properties_of(property_family &f, int64 id);

// Those that a snapshot shows, which are not remembered. Texts are palloc'd.
property_values properties_seen(property_family &f, int64 id, Snapshot snapshot);

// What a call to create_…() or alter_…() gives, by the names of its parameters. before: what it is to change.
enum class change { create, alter };
property_values take_properties(property_family const &f, FunctionCallInfo fcinfo, change how,
                                property_values const &before);

// An argument with the range of a property that is an interval, in milliseconds.
int64 interval_argument(property_description const &d, FunctionCallInfo fcinfo, int n, const char *called);

// Those that are set: as they are kept, or as people write them.
enum class form { kept, shown };
Jsonb *properties_json(property_family const &f, property_values const &p, form how);

// Within the call that has changed what is kept of a log which others may know already.
void tell_of_change(property_family &f);

// The rows of list_…_properties().
void list_properties(property_family const &f, pg::result_set const &rows);

} // namespace weir::name
