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

// The elements of an array of text: one-dimensional, none of them NULL, max of them at the most.
struct text_array {
    ArrayType *array;
    Datum *values;
    int count;
};
text_array text_array_argument(FunctionCallInfo fcinfo, int n, const char *called, int max, const char *hint = nullptr);

} // namespace weir::pg
