// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "lease/history.hpp"
#include "pg/memory.hpp"
#include "pg/text.hpp"
#include "stream/append.hpp"

namespace weir::lease {

namespace {

constexpr std::string_view type_names[] = {"acquired", "renewed", "expired", "reclaimed", "revoked", "released"};
constexpr int most_in_a_batch = 1000; // all of a batch is inserted under the log's lock

struct object_builder {
    JsonbParseState *state = nullptr;

    void begin() { pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr); }
    void key(std::string_view name) {
        JsonbValue v;
        v.type = jbvString;
        v.val.string = {static_cast<int>(name.size()), const_cast<char *>(name.data())};
        pushJsonbValue(&state, WJB_KEY, &v);
    }
    void add(std::string_view name, std::string_view value) {
        key(name);
        JsonbValue v;
        v.type = jbvString;
        v.val.string = {static_cast<int>(value.size()), const_cast<char *>(value.data())};
        pushJsonbValue(&state, WJB_VALUE, &v);
    }
    void add(std::string_view name, NullableDatum value) {
        if (!value.isnull)
            return add(name, pg::view_of(value.value));
        key(name);
        JsonbValue v;
        v.type = jbvNull;
        pushJsonbValue(&state, WJB_VALUE, &v);
    }
    void add(std::string_view name, int64 value) {
        key(name);
        JsonbValue v;
        v.type = jbvNumeric;
        v.val.numeric = int64_to_numeric(value);
        pushJsonbValue(&state, WJB_VALUE, &v);
    }
    Datum end() { return PointerGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, nullptr))); }
};

std::string_view topic_of(NullableDatum name_space) {
    if (name_space.isnull)
        return topic_prefix;
    std::string_view name = pg::view_of(name_space.value);
    std::size_t size = topic_prefix.size() + 1 + name.size();
    char *topic = pg::palloc_array_of<char>(size);
    memcpy(topic, topic_prefix.data(), topic_prefix.size());
    topic[topic_prefix.size()] = '/';
    memcpy(topic + topic_prefix.size() + 1, name.data(), name.size());
    return {topic, size};
}

Datum type_of(happening what) {
    std::string_view name = type_names[static_cast<int>(what)];
    return PointerGetDatum(cstring_to_text_with_len(name.data(), static_cast<int>(name.size())));
}

// The one place that writes history.
void write_batch(event const *events, int count) {
    stream::request r{};
    r.name = events[0].topic;
    r.mode = stream::mode::durable;
    r.count = count;
    r.values = pg::palloc_array_of<Datum>(count);
    r.type = r.headers = r.key = {Datum{0}, true};
    r.types = pg::palloc_array_of<NullableDatum>(count);
    r.headers_each = pg::palloc_array_of<NullableDatum>(count);
    for (int i = 0; i < count; i++) {
        r.values[i] = events[i].payload;
        r.types[i] = {type_of(events[i].what), false};
        r.headers_each[i] = {events[i].headers, false};
    }
    stream::append(r);
}

JsonbValue *member(Jsonb *object, std::string_view name, JsonbValue *into) {
    return getKeyJsonValueFromContainer(&object->root, name.data(), static_cast<int>(name.size()), into);
}

} // namespace

event event_of(happening what, row const &r, NullableDatum reason) {
    object_builder payload;
    payload.begin();
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
    return {topic_of(r.nullable(column::namespace_)), what, payload.end(),
            PointerGetDatum(PG_DETOAST_DATUM_PACKED(r.get(column::headers)))};
}

event copy_of(event const &e) {
    char *topic = pg::palloc_array_of<char>(e.topic.size());
    memcpy(topic, e.topic.data(), e.topic.size());
    return {{topic, e.topic.size()}, e.what, datumCopy(e.payload, false, -1), datumCopy(e.headers, false, -1)};
}

void write(event const *events, int count) {
    MemoryContext of_a_batch = AllocSetContextCreate(CurrentMemoryContext, "weir lease events", ALLOCSET_DEFAULT_SIZES);
    MemoryContext before = MemoryContextSwitchTo(of_a_batch);
    for (int i = 0; i < count;) {
        int n = 1;
        while (n < most_in_a_batch && i + n < count && events[i + n].topic == events[i].topic)
            n++;
        write_batch(events + i, n);
        MemoryContextReset(of_a_batch);
        i += n;
    }
    MemoryContextSwitchTo(before);
    MemoryContextDelete(of_a_batch);
}

Datum event_headers(std::string_view name, NullableDatum headers, NullableDatum &out_namespace) {
    out_namespace = {Datum{0}, true};
    object_builder own;
    own.begin();
    own.add("lease", name);
    Datum with_name = own.end();
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
        stream::check_name(given, "namespace");
        out_namespace = {PointerGetDatum(cstring_to_text_with_len(given.data(), static_cast<int>(given.size()))),
                         false};
        stream::check_name(topic_of(out_namespace), "stream name of the history");
    }
    return DirectFunctionCall2(jsonb_concat, headers.value, with_name);
}

} // namespace weir::lease
