// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "pg/function.hpp"
#include "pg/spi.hpp"
#include "stream/hooks.hpp"
#include "stream/lifetime.hpp"
#include "stream/names.hpp"
#include "stream/properties.hpp"

namespace weir::stream {

namespace {

namespace spi = pg::spi;
using name::property_type;

constexpr name::property_description described[] = {
#define WEIR_ROW(name, type, least, greatest, otherwise, alterable)                                                    \
    {#name, property_type::type, least, greatest, otherwise, alterable},
    WEIR_STREAM_PROPERTIES(WEIR_ROW)
#undef WEIR_ROW
};

constexpr int due_column = 4; // of the table in sql/stream.sql

constinit name::property_family family{streams,
                                       described,
                                       property_count,
                                       "weir.list_stream_properties()",
                                       {"stream_property"},
                                       {"stream_property_pkey"},
                                       due_column};

constinit spi::statement insert_statement{
    "INSERT INTO weir.stream_property (stream_id, properties, retained, due_at) VALUES ($1, $2, $3, $4)",
    4,
    {INT8OID, JSONBOID, BOOLOID, INT8OID}};
constinit spi::statement delete_statement{
    "DELETE FROM weir.stream_property WHERE stream_id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}};

// A ttl begins anew where it is said.
int64 first_end(properties const &p) {
    if (!p.is_set(property::ttl) && !p.is_set(property::expires_at))
        return 0;
    properties from_now = p;
    from_now.due_ms = 0;
    int64 end = end_of(from_now, core::make(log::clock::now_us() / 1000, 0));
    return end > 1 ? end : 1;
}

} // namespace

properties default_properties() { return {name::default_properties(family)}; }

properties properties_of(int64 stream_id) { return {name::properties_of(family, stream_id)}; }

properties properties_seen(int64 stream_id, Snapshot snapshot) {
    return {name::properties_seen(family, stream_id, snapshot)};
}

properties take_properties(FunctionCallInfo fcinfo, change how, properties const &before) {
    return {name::take_properties(family, fcinfo, how, before)};
}

void keep_properties(int64 stream_id, properties const &given, bool is_new) {
    properties p = given;
    p.due_ms = first_end(p);
    spi::session session = spi::begin(log::relation_oid(family.table));
    bool retained = p.is_set(property::max_age) || p.is_set(property::max_frames);
    Datum values[] = {Int64GetDatum(stream_id), JsonbPGetDatum(properties_json(family, p, name::form::kept)),
                      BoolGetDatum(retained), Int64GetDatum(p.due_ms)};
    bool nulls[] = {false, false, false, p.due_ms == 0};
    uint64 changed = is_new ? 0 : spi::write(delete_statement, values, nullptr);
    if (p.set != 0)
        changed += spi::write(insert_statement, values, nulls);
    spi::end(session);
    if (changed > 0 && !is_new)
        tell_of_change(family);
    if (changed > 0)
        CommandCounterIncrement(); // the rest of this statement goes by them
    if (p.set != 0)
        tell_of_properties(stream_id, p);
    ask_for_end(p);
}

void properties_agree(properties const &p) {
    if (p.integer(property::maxlen_ceiling) < p.integer(property::maxlen_floor))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("maxlen_ceiling is less than maxlen_floor"),
                        errdetail("They would be " INT64_FORMAT " and " INT64_FORMAT ".",
                                  p.integer(property::maxlen_ceiling), p.integer(property::maxlen_floor))));
}

int64 interval_argument(FunctionCallInfo fcinfo, int n, const char *called, property p) {
    return name::interval_argument(described[static_cast<int>(p)], fcinfo, n, called);
}

Jsonb *show_properties(properties const &p) { return properties_json(family, p, name::form::shown); }

} // namespace weir::stream

WEIR_FUNCTION(weir_list_stream_properties) {
    weir::name::list_properties(weir::stream::family, weir::pg::begin_result_set(fcinfo));
    return Datum{0};
}
