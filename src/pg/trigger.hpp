// SPDX-License-Identifier: PostgreSQL
//
// What weir's trigger functions share: that they are called as they are meant to be,
// and the arguments of CREATE TRIGGER. Those are written name=value, in any order,
// after the one or none that a function takes by place; a value that names columns is
// a list as in SQL, so "Quoted" names keep their case. Every misuse is an error of its own, raised
// when the trigger first fires: the server asks nobody at CREATE TRIGGER.
#pragma once

#include "pg/pg.hpp"

namespace weir::pg::trigger {

// function: "weir.outbox()".
TriggerData *data_of(FunctionCallInfo fcinfo, const char *function);

// Raises that the trigger is not of the kind that the function works in.
// must: "must be fired AFTER the change".
[[noreturn]] void misused(TriggerData *data, const char *function, const char *must, const char *hint);

struct option {
    const char *name;
    const char *value; // nullptr: not given
};

// Raises unless it is fired BEFORE or AFTER INSERT FOR EACH ROW. why_insert: hint.
enum class moment { before, after };
void require_insert(TriggerData *data, const char *function, moment when, const char *why_insert);

// Fills in the values of the options among the arguments from `first` on.
void take_options(TriggerData *data, const char *function, int first, option *options, int count);

[[noreturn]] void bad_option(TriggerData *data, option const &o, const char *must);

// A whole number within bounds; if_absent where the option is not given.
int64 integer_option(TriggerData *data, option const &o, int64 least, int64 most, int64 if_absent);

struct column_list {
    AttrNumber *columns;
    int count;
};

// The columns of the trigger's table that an option names. Palloc'd.
column_list columns_option(TriggerData *data, option const &o);

// Those of a key, if the option is given.
inline constexpr int max_key_columns = 16;
column_list key_option(TriggerData *data, option const &o);

// One column, by its name in an option.
AttrNumber column_option(TriggerData *data, option const &o);

// Whether it is weir.position.
bool is_position(Oid type);

// What the arguments of a trigger amount to, worked out once a statement: but anew where
// an invalidation has come since, as a statement's own triggers may alter other tables.
void *settings_of(FunctionCallInfo fcinfo, TriggerData *data, void *(*take)(TriggerData *));

template <auto take> auto settings_of(FunctionCallInfo fcinfo, TriggerData *data) {
    return static_cast<decltype(take(data))>(
        settings_of(fcinfo, data, [](TriggerData *of) -> void * { return take(of); }));
}

// Those of the primary key; none: count is 0.
column_list primary_key_of(Relation table);

inline char const *name_of(Relation table, AttrNumber column) {
    return NameStr(TupleDescAttr(RelationGetDescr(table), column - 1)->attname);
}
inline Oid type_of(Relation table, AttrNumber column) {
    return TupleDescAttr(RelationGetDescr(table), column - 1)->atttypid;
}

} // namespace weir::pg::trigger
