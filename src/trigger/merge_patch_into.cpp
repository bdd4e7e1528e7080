// SPDX-License-Identifier: PostgreSQL
//
// Trigger function merge_patch_into(): applies the patch in each inserted row to a
// document in another table, one for each key. The document's row is locked until
// commit, as an UPDATE of it would. A row whose patch is NULL changes nothing.
#include "pg/pg.hpp"

#include "core/merge_patch.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"
#include "pg/json.hpp"
#include "pg/memory.hpp"
#include "pg/settings.hpp"
#include "pg/text.hpp"
#include "pg/trigger.hpp"
#include "trigger/plan.hpp"
#include "pg/trigger_table.hpp"

namespace core = weir::core;
namespace pg = weir::pg;
namespace trigger = weir::trigger;

namespace {

constexpr const char *function = "weir.merge_patch_into()";
using pg::trigger::max_key_columns;
constexpr int max_attempts = 10; // to get hold of a row that others make and remove

struct settings {
    pg::trigger::column_list key;
    AttrNumber patch;
    std::string_view sentinel;
    // Parameters: the key's columns, then the document.
    Oid types[max_key_columns + 1];
    char *select_sql;
    char *insert_sql;
    char *update_sql;
};

// A column of the target, of the type it must have.
void check_target(TriggerData *data, Oid target, const char *column, Oid type, const char *argument) {
    AttrNumber found = get_attnum(target, column);
    if (found <= 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                        errmsg("column \"%s\" of relation \"%s\" does not exist", column, get_rel_name(target)),
                        errdetail("Trigger \"%s\" keeps its %s there.", data->tg_trigger->tgname, argument)));
    if (Oid is = get_atttype(target, found); is != type)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("column \"%s\" of relation \"%s\" must be of type %s", column, get_rel_name(target),
                               format_type_be(type)),
                        errdetail("It is of type %s.", format_type_be(is)),
                        errhint("Columns of the key must have the same types in both tables, documents be jsonb, "
                                "versions bigint.")));
}

// That the key tells documents apart, there is nothing to say but a unique index.
void check_unique(TriggerData *data, Oid target, pg::trigger::column_list const &key) {
    Relation documents = table_open(target, AccessShareLock);
    List *indexes = RelationGetIndexList(documents);
    bool found = false;
    for (int i = 0; i < list_length(indexes) && !found; i++) {
        HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(list_nth_oid(indexes, i)));
        if (!HeapTupleIsValid(tuple))
            elog(ERROR, "cache lookup failed for index %u", list_nth_oid(indexes, i));
        auto *index = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
        found = index->indisunique && index->indimmediate && index->indisvalid && index->indnkeyatts == key.count &&
                heap_attisnull(tuple, Anum_pg_index_indpred, nullptr);
        for (int k = 0; k < key.count && found; k++) {
            AttrNumber column = get_attnum(target, pg::trigger::name_of(data->tg_relation, key.columns[k]));
            bool covered = false;
            for (int n = 0; n < index->indnkeyatts; n++)
                covered |= index->indkey.values[n] == column;
            found = covered;
        }
        ReleaseSysCache(tuple);
    }
    list_free(indexes);
    table_close(documents, AccessShareLock);
    if (!found)
        ereport(ERROR, (errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
                        errmsg("relation \"%s\" has no unique index on the key of its documents", get_rel_name(target)),
                        errdetail("Trigger \"%s\" names the key.", data->tg_trigger->tgname)));
}

void append_key_condition(StringInfo sql, settings const &s, Relation table) {
    for (int i = 0; i < s.key.count; i++) {
        appendStringInfoString(sql, i == 0 ? " WHERE " : " AND ");
        pg::trigger::append_equality(sql, pg::trigger::name_of(table, s.key.columns[i]), s.types[i], i + 1);
    }
}

void write_statements(settings &s, Relation table, Oid target, const char *document, const char *version) {
    StringInfoData sql;
    const char *name = pg::trigger::quoted_table(target);
    const char *quoted = quote_identifier(document);
    int n = s.key.count + 1;

    initStringInfo(&sql);
    appendStringInfo(&sql, "SELECT %s FROM %s", quoted, name);
    append_key_condition(&sql, s, table);
    appendStringInfoString(&sql, " FOR UPDATE");
    s.select_sql = sql.data;

    initStringInfo(&sql);
    appendStringInfo(&sql, "UPDATE %s SET %s = $%d", name, quoted, n);
    if (version != nullptr)
        appendStringInfo(&sql, ", %s = coalesce(%s, 0) OPERATOR(pg_catalog.+) 1", quote_identifier(version),
                         quote_identifier(version));
    append_key_condition(&sql, s, table);
    s.update_sql = sql.data;

    StringInfoData columns, values;
    initStringInfo(&columns);
    initStringInfo(&values);
    for (int i = 0; i < s.key.count; i++) {
        appendStringInfo(&columns, "%s%s", i == 0 ? "" : ", ",
                         quote_identifier(pg::trigger::name_of(table, s.key.columns[i])));
        appendStringInfo(&values, "$%d, ", i + 1);
    }
    initStringInfo(&sql);
    appendStringInfo(&sql, "INSERT INTO %s (%s, %s%s%s) VALUES (%s$%d%s) ON CONFLICT (%s) DO NOTHING", name,
                     columns.data, quoted, version == nullptr ? "" : ", ",
                     version == nullptr ? "" : quote_identifier(version), values.data, n,
                     version == nullptr ? "" : ", 1", columns.data);
    s.insert_sql = sql.data;
}

const char *name_option(TriggerData *data, pg::trigger::option const &o, const char *if_absent) {
    if (o.value == nullptr)
        return if_absent;
    List *names = NIL;
    if (!SplitIdentifierString(pstrdup(o.value), ',', &names) || list_length(names) != 1)
        pg::trigger::bad_option(data, o, "one column");
    return static_cast<char *>(linitial(names));
}

settings *take_settings(TriggerData *data) {
    enum { key_option, patch_option, document_option, version_option, sentinel_option };
    pg::trigger::option options[] = {
        {"key", nullptr}, {"patch", nullptr}, {"document", nullptr}, {"version", nullptr}, {"null_sentinel", nullptr}};
    if (data->tg_trigger->tgnargs == 0)
        pg::trigger::misused(data, function, "needs the table of documents as its first argument",
                             "Write EXECUTE FUNCTION weir.merge_patch_into('table', 'key=…').");
    pg::trigger::take_options(data, function, 1, options, lengthof(options));
    Relation table = data->tg_relation;
    auto *s = static_cast<settings *>(palloc0(sizeof(settings)));
    if (options[key_option].value == nullptr)
        pg::trigger::misused(data, function, "needs the argument key",
                             "Name the columns, in both tables, that tell documents apart: 'key=a,b'.");
    s->key = pg::trigger::key_option(data, options[key_option]);
    if (options[patch_option].value == nullptr)
        options[patch_option].value = "patch";
    s->patch = pg::trigger::column_option(data, options[patch_option]);
    if (pg::trigger::type_of(table, s->patch) != JSONBOID)
        pg::trigger::bad_option(data, options[patch_option], "a column of type jsonb");
    s->sentinel = options[sentinel_option].value != nullptr ? std::string_view(pstrdup(options[sentinel_option].value))
                                                            : std::string_view{};
    if (options[sentinel_option].value != nullptr && s->sentinel.empty())
        pg::trigger::bad_option(data, options[sentinel_option], "a string that is not empty");

    Oid target = pg::trigger::table_argument(data, data->tg_trigger->tgargs[0]);
    for (int i = 0; i < s->key.count; i++) {
        s->types[i] = pg::trigger::type_of(table, s->key.columns[i]);
        check_target(data, target, pg::trigger::name_of(table, s->key.columns[i]), s->types[i], "key");
    }
    check_unique(data, target, s->key);
    s->types[s->key.count] = JSONBOID;
    const char *document = name_option(data, options[document_option], "document");
    const char *version = name_option(data, options[version_option], nullptr);
    check_target(data, target, document, JSONBOID, "document");
    if (version != nullptr)
        check_target(data, target, version, INT8OID, "version");
    write_statements(*s, table, target, document, version);
    return s;
}

Datum merged(settings const &s, Jsonb *document, Jsonb *patch) {
    core::failure why;
    core::merge_result result{};
    if (!core::patch_check(pg::container_of(patch), pg::settings::max_patch_depth, why)) {
        if (why.code == core::errc::not_an_object)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("patch must be a JSON object")));
        pg::report(why);
    }
    if (!core::merge_patch(pg::memory_of(CurrentMemoryContext), pg::container_of(document), pg::container_of(patch),
                           s.sentinel, core::depth_limit, result, why))
        pg::report(why);
    return pg::to_datum(result);
}

Jsonb *empty_object() {
    pg::json_writer nothing;
    nothing.begin_object();
    return nothing.finish();
}

void apply(settings &s, Relation table, HeapTuple row, Jsonb *patch) {
    Datum values[max_key_columns + 1];
    char nulls[max_key_columns + 2] = {};
    for (int i = 0; i < s.key.count; i++) {
        bool null = false;
        values[i] = heap_getattr(row, s.key.columns[i], RelationGetDescr(table), &null);
        if (null)
            ereport(ERROR,
                    (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                     errmsg("key column \"%s\" must not be null", pg::trigger::name_of(table, s.key.columns[i]))));
        nulls[i] = ' ';
    }
    nulls[s.key.count] = ' ';
    pg::trigger::check_spi(SPI_connect(), "SPI_connect");
    int attempts = max_attempts;
    for (; attempts > 0; attempts--) {
        if (trigger::run({s.select_sql, s.key.count, s.types}, values, nulls) > 0) {
            bool null = false;
            Datum document = trigger::result(SPI_tuptable, 0, 1, JSONBOID, &null);
            values[s.key.count] = merged(s, null ? empty_object() : DatumGetJsonbP(document), patch);
            if (trigger::run({s.update_sql, s.key.count + 1, s.types}, values, nulls) > 0)
                break;
        } else {
            values[s.key.count] = merged(s, empty_object(), patch);
            if (trigger::run({s.insert_sql, s.key.count + 1, s.types}, values, nulls) > 0)
                break;
        }
    }
    if (attempts == 0) // hidden by a policy, or skipped by a trigger of its own
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the document of a patch could neither be found nor inserted"),
                        errhint("Look for row security and triggers on the table of documents.")));
    pg::trigger::check_spi(SPI_finish(), "SPI_finish");
}

} // namespace

WEIR_FUNCTION(weir_merge_patch_into) {
    TriggerData *data = pg::trigger::data_of(fcinfo, function);
    pg::trigger::require_insert(data, function, pg::trigger::moment::after, "A patch is applied once, as it comes.");
    settings *s = pg::trigger::settings_of<take_settings>(fcinfo, data);
    bool null = false;
    Datum patch = heap_getattr(data->tg_trigtuple, s->patch, RelationGetDescr(data->tg_relation), &null);
    if (!null)
        apply(*s, data->tg_relation, data->tg_trigtuple, DatumGetJsonbP(patch));
    return Datum{0};
}
