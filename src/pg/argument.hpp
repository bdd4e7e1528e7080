// SPDX-License-Identifier: PostgreSQL
//
// Arguments that calls of all families take, checked once at the edge: nothing behind it looks at one again.
#pragma once

#include "pg/pg.hpp"

namespace weir::pg {

// Raises 22004. name: of the argument, as the caller wrote it.
[[noreturn]] void null_argument(const char *name);

// A type, an idempotency key, an owner: NULL, or not empty and at most 512 bytes.
NullableDatum label_argument(FunctionCallInfo fcinfo, int n, const char *called);

// NULL or a JSON object, detoasted.
NullableDatum headers_argument(FunctionCallInfo fcinfo, int n);

// A length of time in microseconds, not NULL. Months count 30 days; what is negative or infinite is in no range.
struct duration_range {
    int64 least_us;
    int64 greatest_us;
    const char *text; // "from 1 millisecond to 1 day"
};
inline constexpr int64 century_us = 36500 * USECS_PER_DAY;
int64 duration_argument(FunctionCallInfo fcinfo, int n, const char *called, duration_range const &range,
                        const char *hint = nullptr);

// How many rows a call returns at the most: max, not NULL, from 1 to max_rows.
inline constexpr int max_rows = 10000;
int max_argument(FunctionCallInfo fcinfo, int n);

// What label_argument() and headers_argument() demand of what they take.
void check_label(std::string_view value, const char *called);
void check_headers(Jsonb const *value, const char *called);

// The elements of an array of text: one-dimensional, none of them NULL, max of them at the most.
struct text_array {
    ArrayType *array;
    Datum *values;
    int count;
};
text_array text_array_argument(FunctionCallInfo fcinfo, int n, const char *called, int max, const char *hint = nullptr);

} // namespace weir::pg
