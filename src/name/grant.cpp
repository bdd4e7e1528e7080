// SPDX-License-Identifier: PostgreSQL
//
// The rows of weir.access_grant, for grant_access() and revoke_access(), which are in SQL and give
// and take the privileges on functions; and has_access(), for those who want to know before.
#include "pg/pg.hpp"

#include "log/table.hpp"
#include "name/access.hpp"
#include "name/argument.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/spi.hpp"
#include "pg/text.hpp"

namespace name = weir::name;
namespace pg = weir::pg;
namespace spi = weir::pg::spi;

namespace {

constinit weir::log::source access_table{"access_grant"};
constinit weir::log::source access_index{"access_grant_pkey"};

// Those of roles that were dropped, and of this one where what it was given has been taken otherwise, as by DROP OWNED:
// that is not given back by what is granted now.
constinit spi::statement prune_statement{
    "DELETE FROM weir.access_grant g"
    " WHERE (g.role OPERATOR(pg_catalog.=) $1"
    "        OR NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid OPERATOR(pg_catalog.=) g.role))"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n, LATERAL pg_catalog.aclexplode(n.nspacl) a"
    "                 WHERE n.nspname OPERATOR(pg_catalog.=) 'weir' AND a.grantee OPERATOR(pg_catalog.=) g.role"
    "                 AND a.privilege_type OPERATOR(pg_catalog.=) 'USAGE')",
    1,
    {REGROLEOID}};

// The greater of the two levels, which are in the order of the array.
constinit spi::statement enter_statement{
    "INSERT INTO weir.access_grant AS g (role, level, names) VALUES ($1, $2, $3)"
    " ON CONFLICT (role, names) DO UPDATE SET level = excluded.level"
    " WHERE pg_catalog.array_position('{read,write,admin}', g.level) OPERATOR(pg_catalog.<)"
    "       pg_catalog.array_position('{read,write,admin}', excluded.level)",
    3,
    {REGROLEOID, TEXTOID, TEXTOID}};

constinit spi::statement remove_statement{"DELETE FROM weir.access_grant g WHERE g.role OPERATOR(pg_catalog.=) $1"
                                          " AND ($2 IS NULL OR g.names OPERATOR(pg_catalog.=) $2)",
                                          2,
                                          {REGROLEOID, TEXTOID}};

// EXECUTE on these, granted by hand, is not enough.
Oid require_owner_of_extension() {
    Oid table = weir::log::relation_oid(access_table);
    if (!has_privs_of_role(GetUserId(), pg::owner_of(table)))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to grant access to weir"),
                        errdetail("Only the owner of the extension and superusers may.")));
    return table;
}

// Of the table in sql/name.sql.
enum { role_column = 1, level_column, names_column };

bool is_there(Relation table, HeapTuple row) {
    bool null = false;
    TupleDesc columns = RelationGetDescr(table);
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], role_column, BTEqualStrategyNumber, F_OIDEQ, heap_getattr(row, role_column, columns, &null));
    keys[1] = pg::is_named(names_column, heap_getattr(row, names_column, columns, &null));
    SysScanDesc scan =
        systable_beginscan(table, weir::log::relation_oid(access_index), true, SnapshotSelf, lengthof(keys), keys);
    bool found = HeapTupleIsValid(systable_getnext(scan));
    systable_endscan(scan);
    return found;
}

Datum role_argument(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(0))
        pg::null_argument("role");
    return PG_GETARG_DATUM(0);
}

} // namespace

WEIR_FUNCTION(weir_enter_access) {
    pg::require_writable("weir.grant_access()");
    Datum role = role_argument(fcinfo);
    if (PG_ARGISNULL(1))
        pg::null_argument("level");
    (void)name::to_level(pg::view_of(PG_GETARG_DATUM(1)));
    (void)name::pattern_argument(fcinfo, 2, "names");
    spi::session session = spi::begin(require_owner_of_extension());
    spi::write(prune_statement, &role, nullptr);
    Datum values[] = {role, PG_GETARG_DATUM(1), PG_GETARG_DATUM(2)};
    spi::write(enter_statement, values, nullptr);
    spi::end(session);
    PG_RETURN_VOID();
}

WEIR_FUNCTION(weir_remove_access) {
    pg::require_writable("weir.revoke_access()");
    Datum role = role_argument(fcinfo);
    spi::session session = spi::begin(require_owner_of_extension());
    spi::write(prune_statement, &role, nullptr);
    Datum values[] = {role, PG_ARGISNULL(1) ? Datum{0} : PG_GETARG_DATUM(1)};
    bool nulls[] = {false, PG_ARGISNULL(1)};
    uint64 removed = spi::write(remove_statement, values, nulls);
    spi::end(session);
    PG_RETURN_INT64(static_cast<int64>(removed));
}

WEIR_FUNCTION(weir_has_access) {
    if (PG_ARGISNULL(1))
        pg::null_argument("level");
    name::level wanted = name::to_level(pg::view_of(PG_GETARG_DATUM(1)));
    PG_RETURN_BOOL(PG_ARGISNULL(0) ? name::may_all(wanted) : name::may(wanted, pg::view_of(PG_GETARG_DATUM(0))));
}

// Trigger of the table, for any change of it, whoever makes it. What a dump has and was granted here before is left
// as it was granted here.
WEIR_FUNCTION(weir_access_changed) {
    if (!CALLED_AS_TRIGGER(fcinfo) ||
        !TRIGGER_FIRED_FOR_ROW(reinterpret_cast<TriggerData *>(fcinfo->context)->tg_event))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("weir.access_changed() is a trigger of weir's own tables")));
    auto *t = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (TRIGGER_FIRED_BY_INSERT(t->tg_event) && !InLocalUserIdChange() && is_there(t->tg_relation, t->tg_trigtuple))
        return PointerGetDatum(nullptr);
    CacheInvalidateRelcache(t->tg_relation);
    return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(t->tg_event) ? t->tg_newtuple : t->tg_trigtuple);
}
