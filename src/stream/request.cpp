// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/document_bound.hpp"
#include "name/argument.hpp"
#include "pg/argument.hpp"
#include "pg/error.hpp"
#include "pg/memory.hpp"
#include "pg/settings.hpp"
#include "pg/text.hpp"
#include "stream/request.hpp"

namespace weir::stream {

namespace {

namespace settings = pg::settings;

enum {
    stream_argument,
    payload_argument,
    type_argument,
    headers_argument,
    key_argument,
    lease_argument,
    epoch_argument,
    ttl_argument,
    floor_argument,
    ceiling_argument,
    alpha_argument
};

constexpr int32 max_ttl_ms = 86400000;
constexpr int32 max_maxlen = 10000000;

std::size_t size_of(NullableDatum const &value) {
    return value.isnull ? 0 : VARSIZE_ANY_EXHDR(DatumGetPointer(value.value));
}

// Before the value is detoasted: it may be a gigabyte.
void check_size(Datum value, std::size_t beside) {
    std::size_t size = toast_raw_datum_size(value) - VARHDRSZ + beside;
    if (size > static_cast<std::size_t>(settings::max_frame_bytes))
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("frame is too large"),
                        errdetail("It has %zu bytes of payload, type and headers, the limit is %d.", size,
                                  settings::max_frame_bytes),
                        errhint("Split it, or raise weir.max_frame_bytes.")));
}

Datum to_json_string(Datum value) {
    std::string_view s = pg::view_of(value);
    JsonbValue scalar;
    scalar.type = jbvString;
    scalar.val.string.val = const_cast<char *>(s.data());
    scalar.val.string.len = static_cast<int>(s.size());
    return PointerGetDatum(JsonbValueToJsonb(&scalar));
}

Datum frame_value(Datum value, form payload, std::size_t beside) {
    check_size(value, beside);
    if (payload == form::text)
        return to_json_string(value);
    return PointerGetDatum(PG_DETOAST_DATUM(value));
}

Oid element_type(form payload) {
    switch (payload) {
    case form::json:
        return JSONBOID;
    case form::text:
        return TEXTOID;
    case form::bytes:
        break;
    }
    return BYTEAOID;
}

void take_batch(request &r, FunctionCallInfo fcinfo, form payload, std::size_t beside) {
    ArrayType *array = PG_GETARG_ARRAYTYPE_P(payload_argument);
    if (ARR_NDIM(array) == 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("payloads must not be empty")));
    if (ARR_NDIM(array) > 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("payloads must be a one-dimensional array")));
    int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    if (count > settings::max_batch_frames)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("batch is too large"),
                        errdetail("It has %d frames, the limit is %d.", count, settings::max_batch_frames),
                        errhint("Append it in several batches, or raise weir.max_batch_frames.")));
    bool *nulls = nullptr;
    std::size_t size = 0;
    deconstruct_array(array, element_type(payload), -1, false, TYPALIGN_INT, &r.values, &nulls, &r.count);
    for (int i = 0; i < r.count; i++) {
        if (nulls[i])
            pg::null_argument("an element of payloads");
        size += toast_raw_datum_size(r.values[i]) - VARHDRSZ + beside;
        r.values[i] = frame_value(r.values[i], payload, beside);
    }
    if (size > static_cast<std::size_t>(settings::max_batch_bytes))
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("batch is too large"),
                        errdetail("It has %zu bytes, the limit is %d.", size, settings::max_batch_bytes),
                        errhint("Append it in several batches, or raise weir.max_batch_bytes.")));
}

void bad_setting(const char *name, const char *range) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is out of range", name),
                    errdetail("It must be %s.", range)));
}

best_effort_settings take_best_effort_settings(FunctionCallInfo fcinfo) {
    static const char *const names[] = {"ttl_ms", "maxlen_floor", "maxlen_ceiling", "ema_alpha"};
    for (int i = 0; i < 4; i++) {
        if (PG_ARGISNULL(ttl_argument + i))
            pg::null_argument(names[i]);
    }
    best_effort_settings s{PG_GETARG_INT32(ttl_argument), PG_GETARG_INT32(floor_argument),
                           PG_GETARG_INT32(ceiling_argument), PG_GETARG_FLOAT8(alpha_argument)};
    if (s.ttl_ms < 1 || s.ttl_ms > max_ttl_ms)
        bad_setting("ttl_ms", "from 1 to 86400000");
    if (s.maxlen_floor < 1 || s.maxlen_floor > max_maxlen)
        bad_setting("maxlen_floor", "from 1 to 10000000");
    if (s.maxlen_ceiling < s.maxlen_floor || s.maxlen_ceiling > max_maxlen)
        bad_setting("maxlen_ceiling", "from maxlen_floor to 10000000");
    if (!(s.ema_alpha > 0 && s.ema_alpha <= 1)) // NaN too
        bad_setting("ema_alpha", "above 0 and at most 1");
    return s;
}

fence fence_arguments(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(lease_argument) && PG_ARGISNULL(epoch_argument))
        return {};
    if (PG_ARGISNULL(lease_argument) || PG_ARGISNULL(epoch_argument))
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("give both or neither of lease and epoch"),
                 errhint("The epoch is what weir.lease_acquire() returned; it is NULL where it did not acquire.")));
    return {name::name_argument(fcinfo, lease_argument, name::level::write, "lease", "lease name"),
            PG_GETARG_INT64(epoch_argument)};
}

void take_common(request &r, FunctionCallInfo fcinfo) {
    r.name = name::target_argument(fcinfo, stream_argument);
    r.type = pg::label_argument(fcinfo, type_argument, "type");
    r.headers = pg::headers_argument(fcinfo, headers_argument);
    r.key = pg::label_argument(fcinfo, key_argument, "idempotency_key");
    r.fence = fence_arguments(fcinfo);
}

} // namespace

void check_frame_size(Datum value, NullableDatum const &type, NullableDatum const &headers) {
    check_size(value, size_of(type) + size_of(headers));
}

request append_request(FunctionCallInfo fcinfo, form payload, bool batch, bool best_effort) {
    request r{};
    r.mode = mode::durable;
    r.best_effort = best_effort;
    r.bytes = payload == form::bytes;
    take_common(r, fcinfo);
    if (PG_ARGISNULL(payload_argument))
        pg::null_argument(batch ? "payloads" : "payload");
    if (best_effort)
        r.settings = take_best_effort_settings(fcinfo);
    std::size_t beside = size_of(r.type) + size_of(r.headers);
    if (batch) {
        take_batch(r, fcinfo, payload, beside);
    } else {
        r.count = 1;
        r.values = pg::palloc_array_of<Datum>(1);
        r.values[0] = frame_value(PG_GETARG_DATUM(payload_argument), payload, beside);
    }
    return r;
}

request patch_request(FunctionCallInfo fcinfo) {
    constexpr int replace_argument = ttl_argument;
    request r{};
    if (PG_ARGISNULL(replace_argument))
        pg::null_argument("replace");
    r.mode = PG_GETARG_BOOL(replace_argument) ? mode::replace : mode::summary;
    take_common(r, fcinfo);
    if (PG_ARGISNULL(payload_argument))
        pg::null_argument("patch");
    r.count = 1;
    r.values = pg::palloc_array_of<Datum>(1);
    r.values[0] = frame_value(PG_GETARG_DATUM(payload_argument), form::json, size_of(r.type) + size_of(r.headers));
    core::failure why;
    if (!core::patch_check(pg::container_of(DatumGetJsonbP(r.values[0])), settings::max_patch_depth, why)) {
        if (why.code == core::errc::not_an_object)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("patch must be a JSON object"),
                            errhint("To set members of the summary document, append an object that holds them.")));
        pg::report(why);
    }
    r.growth = core::in_units(core::measure(pg::container_of(DatumGetJsonbP(r.values[0]))));
    return r;
}

} // namespace weir::stream
