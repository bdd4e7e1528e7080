// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "kv/names.hpp"
#include "kv/properties.hpp"
#include "pg/spi.hpp"

namespace weir::kv {

namespace {

namespace spi = pg::spi;
using name::property_type;

constexpr name::property_description described[] = {
#define WEIR_ROW(name, type, least, greatest, otherwise, alterable)                                                    \
    {#name, property_type::type, least, greatest, otherwise, alterable},
    WEIR_BUCKET_PROPERTIES(WEIR_ROW)
#undef WEIR_ROW
};

constinit name::property_family family{
    buckets, described, property_count, "weir.list_bucket_properties()", {"bucket_property"}, {"bucket_property_pkey"},
    0};

constinit spi::statement insert_statement{
    "INSERT INTO weir.bucket_property (bucket_id, properties) VALUES ($1, $2)", 2, {INT8OID, JSONBOID}};
constinit spi::statement delete_statement{
    "DELETE FROM weir.bucket_property WHERE bucket_id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}};

} // namespace

properties default_properties() { return {name::default_properties(family)}; }

properties properties_of(int64 bucket_id) { return {name::properties_of(family, bucket_id)}; }

properties take_properties(FunctionCallInfo fcinfo, change how, properties const &before) {
    return {name::take_properties(family, fcinfo, how, before)};
}

int64 ttl_argument(FunctionCallInfo fcinfo, int n) {
    return name::interval_argument(described[static_cast<int>(property::ttl)], fcinfo, n, "ttl");
}

void keep_properties(int64 bucket_id, properties const &p, bool is_new) {
    spi::session session = spi::begin(log::relation_oid(family.table));
    Datum values[] = {Int64GetDatum(bucket_id), JsonbPGetDatum(properties_json(family, p, name::form::kept))};
    uint64 changed = is_new ? 0 : spi::write(delete_statement, values, nullptr);
    if (p.set != 0)
        changed += spi::write(insert_statement, values, nullptr);
    spi::end(session);
    if (changed > 0 && !is_new)
        tell_of_change(family);
    if (changed > 0)
        CommandCounterIncrement(); // the rest of this statement goes by them
}

Jsonb *show_properties(properties const &p) { return properties_json(family, p, name::form::shown); }

} // namespace weir::kv

WEIR_FUNCTION(weir_list_bucket_properties) {
    weir::name::list_properties(weir::kv::family, weir::pg::begin_result_set(fcinfo));
    return Datum{0};
}
