// SPDX-License-Identifier: PostgreSQL
//
// What a caller asks for, checked once at the edge: nothing behind it looks at an argument again.
#pragma once

#include "pg/pg.hpp"

#include "kv/change.hpp"
#include "name/access.hpp"
#include "pg/payload.hpp"

namespace weir::kv {

using pg::form;

struct request {
    std::string_view bucket;
    enum op op;
    bool bytes; // values are bytea, else jsonb
    int count;
    Datum *keys;           // text, detoasted
    Datum *values;         // detoasted; nullptr: it has none
    NullableDatum headers; // of each
    int64 ttl_ms;          // 0: the bucket's
};

// The first two arguments of calls on one key.
std::string_view bucket_argument(FunctionCallInfo fcinfo, name::level wanted);
Datum key_argument(FunctionCallInfo fcinfo);

// bucket, key, value, and at some place headers, ttl, as in sql/kv.sql; of several: keys, payloads.
request put_request(FunctionCallInfo fcinfo, form value, int options_at);
request put_many_request(FunctionCallInfo fcinfo, form value);

// A change without a value.
request change_request(FunctionCallInfo fcinfo, enum op op);

// A revision as an argument; otherwise: where it is NULL.
int64 revision_argument(FunctionCallInfo fcinfo, int n, int64 otherwise);

// How many rows a call returns: max, from 1 to 10000, or 1000 where nobody said.
struct page {
    int left;
    bool is_default;
    bool cut; // there would have been more
};
page page_argument(FunctionCallInfo fcinfo, int n);
bool has_room(page &p); // for one more row, which is then counted
void say_cut(page const &p, const char *hint);

} // namespace weir::kv
