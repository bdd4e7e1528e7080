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

// The first two arguments of what reads several: their names, none of them NULL, and as many
// cursors, or none at all (nullptr). Returns how many there are.
inline constexpr int max_names = 10000;
int names_argument(FunctionCallInfo fcinfo, Datum **names, Datum **cursors, bool **cursor_nulls);

} // namespace weir::name
