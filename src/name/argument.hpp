// SPDX-License-Identifier: PostgreSQL
//
// Names as arguments, of every family: not NULL, not blank, at most weir.max_name_bytes long; patterns likewise
// (core/glob.hpp). called: the argument, as the caller wrote it; what: what it names, for messages.
//
// Here a call meets the rights of its caller: whoever takes a name says at which level it is used (access.hpp).
#pragma once

#include "pg/pg.hpp"

#include "name/access.hpp"

namespace weir::name {

void check_name(std::string_view name, const char *what = "stream name");
// level::none: of what has rights of another kind.
std::string_view name_argument(FunctionCallInfo fcinfo, int n, level wanted, const char *called = "stream",
                               const char *what = "stream name");

// The name of what is to be written, at level write: not one of weir's own either.
std::string_view target_argument(FunctionCallInfo fcinfo, int n, const char *called = "stream",
                                 const char *what = "stream name");

// A pattern is refused to nobody; what it finds is what the caller may use.
void check_pattern(std::string_view pattern, const char *what);
std::string_view pattern_argument(FunctionCallInfo fcinfo, int n, const char *called);

// A pattern up to its first wildcard; a name as it is meant. Palloc'd.
std::string_view literal_part(std::string_view pattern);

// An argument of what works on several: a position for each of the names, or none at all.
struct positions {
    Datum *values; // nullptr: none
    bool *nulls;

    int64 at(int i, int64 if_none) const { return values == nullptr || nulls[i] ? if_none : DatumGetInt64(values[i]); }
};
void positions_argument(FunctionCallInfo fcinfo, int n, const char *called, int names, positions &out);

// The first two arguments of what works on several: their names, none of them NULL, and their
// cursors. Returns how many names there are.
inline constexpr int max_names = 10000;
int names_argument(FunctionCallInfo fcinfo, Datum **names, positions &after);

} // namespace weir::name
