// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "lease/history.hpp"
#include "name/argument.hpp"
#include "name/reserved.hpp"
#include "outbox/buffer.hpp"
#include "pg/json.hpp"
#include "pg/memory.hpp"
#include "pg/text.hpp"

namespace weir::lease {

namespace {

constexpr std::string_view type_names[] = {"acquired", "renewed", "expired", "reclaimed", "revoked", "released"};

std::string_view stream_of(NullableDatum name_space) {
    if (name_space.isnull)
        return stream_prefix;
    std::string_view name = pg::view_of(name_space.value);
    std::size_t size = stream_prefix.size() + 1 + name.size();
    char *stream = pg::palloc_array_of<char>(size);
    memcpy(stream, stream_prefix.data(), stream_prefix.size());
    stream[stream_prefix.size()] = '/';
    memcpy(stream + stream_prefix.size() + 1, name.data(), name.size());
    return {stream, size};
}

Datum type_of(happening what) { return pg::to_text(type_names[static_cast<int>(what)]); }

JsonbValue *member(Jsonb *object, std::string_view name, JsonbValue *into) {
    return getKeyJsonValueFromContainer(&object->root, name.data(), static_cast<int>(name.size()), into);
}

} // namespace

event event_of(happening what, row const &r, NullableDatum reason) {
    pg::json_writer payload;
    payload.begin_object();
    payload.add("lease", r.nullable(column::name));
    payload.add("epoch", r.integer(column::epoch));
    payload.add("owner", r.nullable(column::owner));
    payload.add("previous_owner", r.nullable(column::previous_owner));
    payload.add("reason", reason);
    if (what == happening::revoked)
        payload.add("by", r.nullable(column::ended_by));
    else if (what == happening::acquired || what == happening::reclaimed || what == happening::renewed)
        payload.add("ttl_ms", r.integer(column::ttl_us) / 1000);
    // Not as it lies out of line in the table of leases; packed will do.
    return {stream_of(r.nullable(column::namespace_)), what, JsonbPGetDatum(payload.finish()),
            PointerGetDatum(PG_DETOAST_DATUM_PACKED(r.get(column::headers)))};
}

void write(event const &e) { outbox::add(e.stream, {type_of(e.what), false}, e.payload, {e.headers, false}); }

void reserve_streams() { name::reserve(stream_prefix, "the history of leases"); }

Datum event_headers(std::string_view name, NullableDatum headers, NullableDatum &out_namespace) {
    out_namespace = {Datum{0}, true};
    pg::json_writer own;
    own.begin_object();
    own.add("lease", name);
    Datum with_name = JsonbPGetDatum(own.finish());
    if (headers.isnull)
        return with_name;

    auto *object = DatumGetJsonbP(headers.value);
    JsonbValue value;
    if (member(object, "lease", &value) != nullptr)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("headers of a lease must not have a member \"lease\""),
                        errdetail("Its events carry the name of the lease there.")));
    if (member(object, "namespace", &value) != nullptr) {
        if (value.type != jbvString)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("namespace of a lease must be a string")));
        std::string_view given{value.val.string.val, static_cast<std::size_t>(value.val.string.len)};
        name::check_name(given, "namespace");
        out_namespace = {pg::to_text(given), false};
        std::string_view history = stream_of(out_namespace);
        name::check_name(history, "stream name of the history");
        name::require(name::level::write, history);
    }
    return DirectFunctionCall2(jsonb_concat, headers.value, with_name);
}

} // namespace weir::lease
