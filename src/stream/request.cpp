// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/document_bound.hpp"
#include "name/argument.hpp"
#include "pg/argument.hpp"
#include "pg/error.hpp"
#include "pg/memory.hpp"
#include "pg/payload.hpp"
#include "pg/settings.hpp"
#include "pg/text.hpp"
#include "stream/properties.hpp"
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
    behind_append // what only some of the appends have
};
constexpr int behind_emit = headers_argument + 1;

void check_size(Datum value, std::size_t beside) {
    pg::check_payload(value, beside, "frame", "payload, type and headers");
}

constexpr pg::other_array beside_payloads(int count) {
    return {"payloads", count, "An element is NULL where there is nothing to say of a frame."};
}

Datum frame_value(Datum value, form payload, std::size_t beside) {
    check_size(value, beside);
    return pg::payload_value(value, payload);
}

// Of each frame, where a batch gives them; what holds for all is that of the frames that have none of their own.
NullableDatum *take_each(request &r, FunctionCallInfo fcinfo, int n, const char *called, bool is_headers) {
    if (PG_ARGISNULL(n))
        return nullptr;
    Datum *values = nullptr;
    bool *nulls = nullptr;
    pg::other_array payloads = beside_payloads(r.count);
    pg::elements_argument(fcinfo, n, called, is_headers ? JSONBOID : TEXTOID, "frames", &payloads, &values, &nulls);
    auto *each = pg::palloc_array_of<NullableDatum>(static_cast<std::size_t>(r.count));
    for (int i = 0; i < r.count; i++) {
        if (nulls[i]) {
            each[i] = is_headers ? r.headers : r.type;
            continue;
        }
        each[i] = {PointerGetDatum(PG_DETOAST_DATUM(values[i])), false};
        if (is_headers)
            pg::check_headers(DatumGetJsonbP(each[i].value), "an element of headers_each");
        else
            pg::check_label(pg::view_of(each[i].value), "an element of types");
    }
    return each;
}

std::size_t size_beside(request const &r, int i) { return pg::size_of(type_at(r, i)) + pg::size_of(headers_at(r, i)); }

void take_batch(request &r, FunctionCallInfo fcinfo, form payload, int types_argument) {
    bool *nulls = nullptr;
    r.count = pg::elements_argument(fcinfo, payload_argument, "payloads", pg::element_type(payload), "frames", nullptr,
                                    &r.values, &nulls);
    r.types = take_each(r, fcinfo, types_argument, "types", false);
    r.headers_each = take_each(r, fcinfo, types_argument + 1, "headers_each", true);
    std::size_t size = 0;
    for (int i = 0; i < r.count; i++) {
        if (nulls[i])
            pg::null_argument("an element of payloads");
        std::size_t beside = size_beside(r, i);
        size += pg::payload_size(r.values[i]) + beside;
        r.values[i] = frame_value(r.values[i], payload, beside);
    }
    pg::check_batch_bytes(size);
}

// NULL: that of the stream.
int64 ttl_argument(FunctionCallInfo fcinfo, int n) {
    return PG_ARGISNULL(n) ? 0 : interval_argument(fcinfo, n, "ttl", property::frame_ttl);
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

// What every call that writes frames has: stream, payload or payloads, type, headers, and a batch those of each.
void take_frames(request &r, FunctionCallInfo fcinfo, form payload, bool batch, int types_argument,
                 const char *called) {
    if (PG_ARGISNULL(payload_argument))
        pg::null_argument(called);
    r.bytes = payload == form::bytes;
    if (batch) {
        take_batch(r, fcinfo, payload, types_argument);
        return;
    }
    r.count = 1;
    r.values = pg::palloc_array_of<Datum>(1);
    r.values[0] = frame_value(PG_GETARG_DATUM(payload_argument), payload, size_beside(r, 0));
}

void take_names(request &r, FunctionCallInfo fcinfo) {
    r.name = name::target_argument(fcinfo, stream_argument);
    r.type = pg::label_argument(fcinfo, type_argument, "type");
    r.headers = pg::headers_argument(fcinfo, headers_argument);
}

void take_terms(request &r, FunctionCallInfo fcinfo) {
    r.key = pg::label_argument(fcinfo, key_argument, "idempotency_key");
    r.fence = fence_arguments(fcinfo);
}

} // namespace

void check_frame_size(Datum value, NullableDatum const &type, NullableDatum const &headers) {
    check_size(value, pg::size_of(type) + pg::size_of(headers));
}

request append_request(FunctionCallInfo fcinfo, form payload, bool batch, bool best_effort) {
    request r{};
    r.mode = mode::durable;
    r.best_effort = best_effort;
    take_names(r, fcinfo);
    take_terms(r, fcinfo);
    if (best_effort)
        r.ttl_ms = ttl_argument(fcinfo, batch ? behind_append + 2 : behind_append);
    take_frames(r, fcinfo, payload, batch, behind_append, batch ? "payloads" : "payload");
    return r;
}

request emit_request(FunctionCallInfo fcinfo, form payload, bool batch) {
    request r{};
    r.mode = mode::durable;
    r.key.isnull = true;
    take_names(r, fcinfo);
    take_frames(r, fcinfo, payload, batch, behind_emit, batch ? "payloads" : "payload");
    return r;
}

request patch_request(FunctionCallInfo fcinfo) {
    constexpr int replace_argument = behind_append;
    request r{};
    if (PG_ARGISNULL(replace_argument))
        pg::null_argument("replace");
    r.mode = PG_GETARG_BOOL(replace_argument) ? mode::replace : mode::summary;
    take_names(r, fcinfo);
    take_terms(r, fcinfo);
    take_frames(r, fcinfo, form::json, false, 0, "patch");
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
