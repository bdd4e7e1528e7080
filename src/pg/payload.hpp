// SPDX-License-Identifier: PostgreSQL
//
// What calls of all families write, checked once at the edge: a value as JSON, text or bytes, one or a batch of them,
// within weir.max_frame_bytes, weir.max_batch_frames and weir.max_batch_bytes.
#pragma once

#include "pg/pg.hpp"

namespace weir::pg {

enum class form { json, text, bytes }; // what the argument is; text is stored as a JSON string

// Without detoasting it: it may be a gigabyte.
std::size_t payload_size(Datum value);
std::size_t size_of(NullableDatum const &value); // 0: it is NULL

// Raises 54000. beside: bytes of what is written with it; what, parts: for the message, "frame" and what counts.
void check_payload(Datum value, std::size_t beside, const char *what, const char *parts);
void check_batch_bytes(std::size_t size);

// Detoasted, as it is stored.
Datum payload_value(Datum value, form given);

Oid element_type(form given);

// The elements of an array that is not NULL: one-dimensional, and as many as those of another one, or, where there is
// none, at least one and no more than a batch may have of that unit. Returns how many.
struct other_array {
    const char *called;
    int count;
    const char *hint;
};
int elements_argument(FunctionCallInfo fcinfo, int n, const char *called, Oid type, const char *unit,
                      other_array const *other, Datum **values, bool **nulls);

} // namespace weir::pg
