// SPDX-License-Identifier: PostgreSQL
//
// Trigger function mint(): fills a position column of a table of one's own,
// ascending for each key. The next position comes from what is remembered in shared
// memory of the last one assigned for that key, as for logs (log/lock.hpp), and where
// nothing is, from the last entry of the key in an index of the table, whoever wrote it.
//
// Unlike a log's, the rows are inserted after the trigger and read by anybody's
// query. So by default the key is locked until commit: positions then become
// visible in their order, and "id > cursor" loses nothing.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/writer.hpp"
#include "pg/function.hpp"
#include "pg/key_lock.hpp"
#include "pg/trigger.hpp"
#include "pg/trigger_table.hpp"

namespace core = weir::core;
namespace log_ = weir::log;
namespace pg = weir::pg;

namespace {

constexpr const char *function = "weir.mint()";

struct settings {
    Oid table;
    AttrNumber column;
    pg::trigger::column_list key;
    Oid index; // on the key and the column
    bool until_commit;
};

// In the collations of the columns, since in another one equal keys may not be found, nor be one.
bool holds_key(Relation index, pg::trigger::column_list const &key, Relation table) {
    for (int i = 0; i < key.count; i++) {
        Oid collation = TupleDescAttr(RelationGetDescr(table), key.columns[i] - 1)->attcollation;
        bool found = false;
        for (int k = 0; k < key.count; k++)
            found |= index->rd_index->indkey.values[k] == key.columns[i] && index->rd_indcollation[k] == collation;
        if (!found)
            return false;
    }
    return true;
}

// One whose last entry for a key is that of its greatest position.
Oid find_index(Relation table, settings const &s) {
    List *indexes = RelationGetIndexList(table);
    Oid found = InvalidOid;
    for (int i = 0; i < list_length(indexes) && !OidIsValid(found); i++) {
        Oid oid = list_nth_oid(indexes, i);
        Relation index = index_open(oid, AccessShareLock);
        Form_pg_index form = index->rd_index;
        if (index->rd_rel->relam == BTREE_AM_OID && form->indisvalid && form->indnkeyatts > s.key.count &&
            form->indkey.values[s.key.count] == s.column && holds_key(index, s.key, table) &&
            heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr))
            found = oid;
        index_close(index, AccessShareLock);
    }
    list_free(indexes);
    return found;
}

char *wanted_index(Relation table, settings const &s) {
    StringInfoData sql;
    initStringInfo(&sql);
    appendStringInfo(&sql, "CREATE UNIQUE INDEX ON %s (", pg::trigger::quoted_table(s.table));
    for (int i = 0; i < s.key.count; i++)
        appendStringInfo(&sql, "%s, ", quote_identifier(pg::trigger::name_of(table, s.key.columns[i])));
    appendStringInfo(&sql, "%s);", quote_identifier(pg::trigger::name_of(table, s.column)));
    return sql.data;
}

settings *take_settings(TriggerData *data) {
    enum { column_option, key_option, order_option };
    pg::trigger::option options[] = {{"column", nullptr}, {"key", nullptr}, {"order", nullptr}};
    pg::trigger::take_options(data, function, 0, options, lengthof(options));
    Relation table = data->tg_relation;
    auto *s = static_cast<settings *>(palloc0(sizeof(settings)));
    s->table = pg::trigger::named_table(data);
    if (options[column_option].value == nullptr)
        pg::trigger::misused(data, function, "needs the argument column", "Name the position column: 'column=id'.");
    s->column = pg::trigger::column_option(data, options[column_option]);
    if (Oid type = pg::trigger::type_of(table, s->column); type != INT8OID && !pg::trigger::is_position(type))
        pg::trigger::bad_option(data, options[column_option], "a column of type weir.position or bigint");
    if (options[key_option].value != nullptr)
        s->key = pg::trigger::columns_option(data, options[key_option]);
    const char *order = options[order_option].value;
    s->until_commit = order == nullptr || strcmp(order, "commit") == 0;
    if (!s->until_commit && strcmp(order, "mint") != 0)
        pg::trigger::bad_option(data, options[order_option], "commit or mint");
    s->index = find_index(table, *s);
    if (!OidIsValid(s->index))
        pg::trigger::misused(data, function, "needs an index on the key and the position column",
                             wanted_index(table, *s));
    return s;
}

void set_key(ScanKey key, Relation index, int n, HeapTuple row, Relation table) {
    bool null = false;
    Datum value = heap_getattr(row, index->rd_index->indkey.values[n], RelationGetDescr(table), &null);
    Oid operand = index->rd_opcintype[n];
    Oid equal = get_opfamily_member(index->rd_opfamily[n], operand, operand, BTEqualStrategyNumber);
    ScanKeyEntryInitialize(key, null ? SK_ISNULL | SK_SEARCHNULL : 0, static_cast<AttrNumber>(n + 1),
                           null ? InvalidStrategy : BTEqualStrategyNumber, InvalidOid, index->rd_indcollation[n],
                           null ? InvalidOid : get_opcode(equal), null ? Datum{0} : value);
}

// The greatest position of the row's key in the index, committed or not, -1: none.
int64 newest_in_index(settings const &s, Relation table, HeapTuple row) {
    Relation index = index_open(s.index, AccessShareLock);
    int count = s.key.count;
    ScanKeyData keys[INDEX_MAX_KEYS];
    for (int i = 0; i < count; i++)
        set_key(&keys[i], index, i, row, table);
    ScanKeyEntryInitialize(&keys[count], SK_ISNULL | SK_SEARCHNOTNULL, static_cast<AttrNumber>(count + 1),
                           InvalidStrategy, InvalidOid, InvalidOid, InvalidOid, Datum{0});
    IndexScanDesc scan = index_beginscan(table, index, SnapshotAny, count + 1, 0);
    scan->xs_want_itup = true;
    scan->ignore_killed_tuples = false; // their positions were assigned all the same
    index_rescan(scan, keys, count + 1, nullptr, 0);
    bool descending = index->rd_indoption[count] & INDOPTION_DESC;
    int64 newest = -1;
    if (index_getnext_tid(scan, descending ? ForwardScanDirection : BackwardScanDirection) != nullptr) {
        bool null = false;
        newest = DatumGetInt64(index_getattr(scan->xs_itup, count + 1, scan->xs_itupdesc, &null));
    }
    index_endscan(scan);
    index_close(index, AccessShareLock);
    return newest;
}

// The writer rule, for a table of somebody's own: only the position is assigned under the lock, and what is in the
// table need not be looked at while the last one is remembered.
struct table_policy {
    settings const &s;
    Relation table;
    HeapTuple row;
    int64 log;
    int64 in_index = -1;
    bool looked = false;

    int64 key() const { return log; }
    std::string_view name() const { return RelationGetRelationName(table); }
    void make_ready() const {}
    void before_clock_moves() const {}

    log_::judgement judge(log_::last_assigned const &known, int64) const {
        if (!known.exact && !looked)
            return {log_::judgement::verdict::retry};
        return {.newest = in_index};
    }

    void resolve() {
        in_index = newest_in_index(s, table, row);
        looked = true;
    }
};

int64 mint(settings const &s, Relation table, HeapTuple row, int64 key) {
    table_policy policy{.s = s, .table = table, .row = row, .log = key};
    log_::assigned out = log_::assign_positions(policy, 1);
    log_::unlock(key);
    return out.first;
}

} // namespace

WEIR_FUNCTION(weir_mint) {
    TriggerData *data = pg::trigger::data_of(fcinfo, function);
    pg::trigger::require_insert(data, function, pg::trigger::moment::before,
                                "A row keeps the position that it was given.");
    settings *s = pg::trigger::settings_of<take_settings>(fcinfo, data);

    Relation table = data->tg_relation;
    HeapTuple row = data->tg_trigtuple;
    if (!heap_attisnull(row, s->column, RelationGetDescr(table)))
        ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS),
                        errmsg("cannot insert a value into column \"%s\"", pg::trigger::name_of(table, s->column)),
                        errdetail("Trigger \"%s\" gives out its positions.", data->tg_trigger->tgname),
                        errhint("Leave the column out. To restore rows with their positions, disable the trigger "
                                "(pg_restore --disable-triggers, ALTER TABLE … DISABLE TRIGGER).")));
    int64 key = pg::trigger::hash_of_key(s->table, table, s->key, row);
    if (s->until_commit)
        pg::lock_key(pg::lock_class::mint, s->table, key);
    Datum value = Int64GetDatum(mint(*s, table, row, key));
    int column = s->column;
    bool null = false;
    return PointerGetDatum(heap_modify_tuple_by_cols(row, RelationGetDescr(table), 1, &column, &value, &null));
}
