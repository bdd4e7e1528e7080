// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "kv/names.hpp"
#include "kv/properties.hpp"
#include "kv/request.hpp"
#include "name/argument.hpp"
#include "name/reserved.hpp"
#include "pg/argument.hpp"
#include "pg/memory.hpp"
#include "pg/text.hpp"

namespace weir::kv {

namespace {

constexpr std::size_t max_key_bytes = 512;
constexpr int default_max = 1000;

enum { bucket_at, key_at, value_at, behind_value };

void check_key(Datum key) {
    std::size_t size = pg::view_of(key).size();
    if (size > max_key_bytes)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("key is too long"),
                        errdetail("It has %zu bytes, the limit is %zu.", size, max_key_bytes)));
}

Datum stored_value(Datum value, form given, std::size_t beside) {
    pg::check_payload(value, beside, "value", "value and headers");
    return pg::payload_value(value, given);
}

// bucket, headers and ttl of what is put.
request begin_put(FunctionCallInfo fcinfo, form value, int headers_at) {
    int ttl_at = headers_at + 1;
    request r{};
    r.op = op::put;
    r.bytes = value == form::bytes;
    r.bucket = bucket_argument(fcinfo, name::level::write);
    r.headers = pg::headers_argument(fcinfo, headers_at);
    r.ttl_ms = PG_ARGISNULL(ttl_at) ? 0 : ttl_argument(fcinfo, ttl_at);
    return r;
}

// NULL elements are refused.
int take_array(FunctionCallInfo fcinfo, int n, const char *called, Oid type, Datum **out) {
    if (PG_ARGISNULL(n))
        pg::null_argument(called);
    bool *nulls = nullptr;
    int count = pg::elements_argument(fcinfo, n, called, type, "keys", nullptr, out, &nulls);
    for (int i = 0; i < count; i++) {
        if (nulls[i])
            pg::null_argument(psprintf("an element of %s", called));
    }
    return count;
}

} // namespace

std::string_view bucket_argument(FunctionCallInfo fcinfo, name::level wanted) {
    if (wanted == name::level::write)
        return name::target_argument(fcinfo, bucket_at, "bucket", bucket_name);
    return name::name_argument(fcinfo, bucket_at, wanted, "bucket", bucket_name);
}

Datum key_argument(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(key_at))
        pg::null_argument("key");
    Datum key = PointerGetDatum(PG_GETARG_TEXT_PP(key_at));
    check_key(key);
    return key;
}

request put_request(FunctionCallInfo fcinfo, form value, int options_at) {
    request r = begin_put(fcinfo, value, options_at);
    r.count = 1;
    r.keys = pg::palloc_array_of<Datum>(2);
    r.values = r.keys + 1;
    r.keys[0] = key_argument(fcinfo);
    if (PG_ARGISNULL(value_at))
        pg::null_argument("value");
    r.values[0] = stored_value(PG_GETARG_DATUM(value_at), value, pg::size_of(r.headers));
    return r;
}

request put_many_request(FunctionCallInfo fcinfo, form value) {
    request r = begin_put(fcinfo, value, behind_value);
    r.count = take_array(fcinfo, key_at, "keys", TEXTOID, &r.keys);
    int values = take_array(fcinfo, value_at, "payloads", pg::element_type(value), &r.values);
    if (values != r.count)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("keys and payloads differ in length"),
                        errdetail("There are %d keys and %d payloads.", r.count, values)));
    std::size_t size = 0, beside = pg::size_of(r.headers);
    for (int i = 0; i < r.count; i++) {
        check_key(r.keys[i]);
        size += pg::payload_size(r.values[i]) + beside;
        r.values[i] = stored_value(r.values[i], value, beside);
    }
    pg::check_batch_bytes(size);
    return r;
}

request change_request(FunctionCallInfo fcinfo, enum op op) {
    request r{};
    r.op = op;
    r.bucket = bucket_argument(fcinfo, name::level::write);
    r.headers.isnull = true;
    r.count = 1;
    r.keys = pg::palloc_array_of<Datum>(1);
    r.keys[0] = key_argument(fcinfo);
    return r;
}

int64 revision_argument(FunctionCallInfo fcinfo, int n, int64 otherwise) {
    return PG_ARGISNULL(n) ? otherwise : PG_GETARG_INT64(n);
}

page page_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        return {default_max, true, false};
    return {pg::max_argument(fcinfo, n), false, false};
}

bool has_room(page &p) {
    p.cut = p.left == 0;
    return !p.cut && p.left-- > 0;
}

// Rows are not added for it: who did not think of a max would not look for them.
void say_cut(page const &p, const char *hint) {
    if (p.is_default && p.cut)
        ereport(NOTICE, (errmsg("there is more: the read ended after %d rows, for no max was given", default_max),
                         errhint("%s", hint)));
}

} // namespace weir::kv
