// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "trigger/statement.hpp"

namespace weir::trigger {

namespace {

// Plans by their text. None is ever dropped, since one of them may be running, further up.
struct kept_plan {
    char *sql;
    SPIPlanPtr plan;
};
constexpr uint32 slots = 512;
constexpr uint32 most_kept = 384;
kept_plan kept[slots];
uint32 kept_count = 0;

kept_plan *slot_of(const char *sql) {
    uint32 at = hash_bytes(reinterpret_cast<unsigned char const *>(sql), static_cast<int>(strlen(sql))) % slots;
    while (kept[at].sql != nullptr && strcmp(kept[at].sql, sql) != 0)
        at = (at + 1) % slots;
    return &kept[at];
}

SPIPlanPtr prepared(const char *sql, int count, Oid *types) {
    kept_plan *slot = slot_of(sql);
    if (slot->sql != nullptr)
        return slot->plan;
    SPIPlanPtr plan = SPI_prepare(sql, count, types);
    if (plan == nullptr)
        elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
    if (kept_count == most_kept)
        return plan; // gone with SPI_finish()
    char *copy = MemoryContextStrdup(TopMemoryContext, sql);
    if (SPI_keepplan(plan) != 0)
        elog(ERROR, "SPI_keepplan failed");
    slot = slot_of(sql); // planning may have run triggers of its own
    if (slot->sql == nullptr) {
        *slot = {copy, plan};
        kept_count++;
    }
    return plan;
}

} // namespace

Oid named_table(TriggerData *data) {
    Oid table = RelationGetRelid(data->tg_relation);
    if (data->tg_trigger->tgisclone && data->tg_relation->rd_rel->relispartition)
        table = llast_oid(get_partition_ancestors(table));
    return table;
}

Oid table_argument(TriggerData *data, const char *name) {
    RangeVar *given = makeRangeVarFromNameList(stringToQualifiedNameList(name));
    Oid schema = given->schemaname != nullptr ? get_namespace_oid(given->schemaname, false)
                                              : get_rel_namespace(named_table(data));
    Oid table = get_relname_relid(given->relname, schema);
    if (!OidIsValid(table))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("relation \"%s.%s\" does not exist", get_namespace_name(schema), given->relname),
                        errdetail("An argument of trigger \"%s\" names it.", data->tg_trigger->tgname),
                        errhint("A name without a schema is looked for in that of the trigger's table.")));
    return table;
}

char *quoted_table(Oid table) {
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
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

uint64 run(const char *sql, int count, Oid *types, Datum *values, const char *nulls) {
    int code = SPI_execute_plan(prepared(sql, count, types), values, nulls, false, 0);
    if (code < 0)
        elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(code));
    return SPI_processed;
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

} // namespace weir::trigger
