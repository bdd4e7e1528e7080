// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/trigger_table.hpp"

namespace weir::pg::trigger {

Oid named_table(TriggerData *data) {
    Oid table = RelationGetRelid(data->tg_relation);
    if (data->tg_trigger->tgisclone && data->tg_relation->rd_rel->relispartition) {
        // None where it is being detached: DETACH … CONCURRENTLY waits for us, or was broken off.
        List *ancestors = get_partition_ancestors(table);
        if (ancestors != NIL)
            table = llast_oid(ancestors);
    }
    return table;
}

Oid table_argument(TriggerData *data, const char *name) {
    RangeVar *given = makeRangeVarFromNameList(pg::compat::qualified_name(name));
    if (given->schemaname == nullptr)
        given->schemaname = get_namespace_name(get_rel_namespace(named_table(data)));
    (void)get_namespace_oid(given->schemaname, false);
    Oid table = RangeVarGetRelidExtended(given, RowExclusiveLock, RVR_MISSING_OK, nullptr, nullptr);
    if (!OidIsValid(table))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("relation \"%s.%s\" does not exist", given->schemaname, given->relname),
                        errdetail("An argument of trigger \"%s\" names it.", data->tg_trigger->tgname),
                        errhint("A name without a schema is looked for in that of the trigger's table.")));
    return table;
}

char *quoted_table(Oid table) {
    char *schema = get_namespace_name(get_rel_namespace(table)), *name = get_rel_name(table);
    if (schema == nullptr || name == nullptr)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", table)));
    return quote_qualified_identifier(schema, name);
}

void append_equality(StringInfo sql, const char *column, Oid type, int parameter) {
    Oid equal = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
    if (!OidIsValid(equal))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
                        errmsg("could not identify an equality operator for type %s", format_type_be(type))));
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(equal));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for operator %u", equal);
    auto *form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
    appendStringInfo(sql, "%s OPERATOR(%s.%s) $%d", quote_identifier(column),
                     quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname), parameter);
    ReleaseSysCache(tuple);
}

void check_spi(int code, const char *what) {
    if (code < 0)
        elog(ERROR, "%s failed: %s", what, SPI_result_code_string(code));
}

int64 hash_of_key(Oid table, Relation row_of, column_list const &key, HeapTuple row) {
    uint64 hash = hash_bytes_uint32_extended(table, 0);
    for (int i = 0; i < key.count; i++) {
        AttrNumber column = key.columns[i];
        bool null = false;
        Datum value = heap_getattr(row, column, RelationGetDescr(row_of), &null);
        Oid type = type_of(row_of, column);
        TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_HASH_EXTENDED_PROC_FINFO);
        if (!OidIsValid(entry->hash_extended_proc_finfo.fn_oid))
            ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
                            errmsg("could not identify an extended hash function for type %s", format_type_be(type))));
        Oid collation = TupleDescAttr(RelationGetDescr(row_of), column - 1)->attcollation;
        if (null)
            hash = hash_bytes_uint32_extended(static_cast<uint32>(hash ^ (hash >> 32)), 1);
        else
            hash = DatumGetUInt64(
                FunctionCall2Coll(&entry->hash_extended_proc_finfo, collation, value, UInt64GetDatum(hash)));
    }
    return static_cast<int64>(hash);
}

} // namespace weir::pg::trigger
