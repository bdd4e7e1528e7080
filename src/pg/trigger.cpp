// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/invalidation.hpp"
#include "pg/memory.hpp"
#include "pg/trigger.hpp"

namespace weir::pg::trigger {

namespace {

AttrNumber find_column(TriggerData *data, const char *name) {
    AttrNumber column = SPI_fnumber(RelationGetDescr(data->tg_relation), name);
    if (column <= 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                        errmsg("column \"%s\" of relation \"%s\" does not exist", name,
                               RelationGetRelationName(data->tg_relation)),
                        errdetail("An argument of trigger \"%s\" names it.", data->tg_trigger->tgname)));
    return column;
}

[[noreturn]] void unknown_option(TriggerData *data, const char *function, const char *argument, option const *options,
                                 int count) {
    StringInfoData names;
    initStringInfo(&names);
    for (int i = 0; i < count; i++)
        appendStringInfo(&names, "%s%s", i == 0 ? "" : i == count - 1 ? " and " : ", ", options[i].name);
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("unknown argument \"%s\" of trigger \"%s\"", argument, data->tg_trigger->tgname),
                    errhint("Arguments of %s are written name=value; the names are %s.", function, names.data)));
    pg_unreachable();
}

} // namespace

TriggerData *data_of(FunctionCallInfo fcinfo, const char *function) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("%s was not called by the trigger manager", function),
                        errhint("Use it as the function of a trigger.")));
    return reinterpret_cast<TriggerData *>(fcinfo->context);
}

void misused(TriggerData *data, const char *function, const char *must, const char *hint) {
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("%s %s", function, must),
                    errdetail("It is called by trigger \"%s\" on relation \"%s\".", data->tg_trigger->tgname,
                              RelationGetRelationName(data->tg_relation)),
                    hint == nullptr ? 0 : errhint("%s", hint)));
    pg_unreachable();
}

void require_insert(TriggerData *data, const char *function, moment when, const char *why_insert) {
    if (when == moment::after && !TRIGGER_FIRED_AFTER(data->tg_event))
        misused(data, function, "must be fired AFTER the change", nullptr);
    if (when == moment::before && !TRIGGER_FIRED_BEFORE(data->tg_event))
        misused(data, function, "must be fired BEFORE the change", nullptr);
    if (!TRIGGER_FIRED_FOR_ROW(data->tg_event))
        misused(data, function, "must be fired FOR EACH ROW", nullptr);
    if (!TRIGGER_FIRED_BY_INSERT(data->tg_event))
        misused(data, function, "must be fired by INSERT alone", why_insert);
}

void take_options(TriggerData *data, const char *function, int first, option *options, int count) {
    for (int i = first; i < data->tg_trigger->tgnargs; i++) {
        const char *argument = data->tg_trigger->tgargs[i];
        const char *equals = strchr(argument, '=');
        option *found = nullptr;
        for (int o = 0; equals != nullptr && o < count; o++) {
            if (strlen(options[o].name) == static_cast<std::size_t>(equals - argument) &&
                strncmp(options[o].name, argument, equals - argument) == 0)
                found = &options[o];
        }
        if (found == nullptr)
            unknown_option(data, function, argument, options, count);
        if (found->value != nullptr)
            bad_option(data, *found, "given only once");
        found->value = equals + 1;
    }
}

void bad_option(TriggerData *data, option const &o, const char *must) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("argument \"%s\" of trigger \"%s\" must be %s", o.name, data->tg_trigger->tgname, must)));
    pg_unreachable();
}

int64 integer_option(TriggerData *data, option const &o, int64 least, int64 most, int64 if_absent) {
    if (o.value == nullptr)
        return if_absent;
    char *end = nullptr;
    errno = 0;
    int64 value = strtoi64(o.value, &end, 10);
    if (errno != 0 || end == o.value || *end != '\0' || value < least || value > most)
        bad_option(data, o, psprintf("a whole number from " INT64_FORMAT " to " INT64_FORMAT, least, most));
    return value;
}

column_list columns_option(TriggerData *data, option const &o) {
    List *names = NIL;
    if (!SplitIdentifierString(pstrdup(o.value), ',', &names) || names == NIL)
        bad_option(data, o, "a list of columns");
    column_list list{pg::palloc_array_of<AttrNumber>(list_length(names)), 0};
    for (int i = 0; i < list_length(names); i++) {
        AttrNumber column = find_column(data, static_cast<char *>(list_nth(names, i)));
        for (int before = 0; before < list.count; before++) {
            if (list.columns[before] == column)
                bad_option(data, o, "a list of different columns");
        }
        list.columns[list.count++] = column;
    }
    return list;
}

column_list key_option(TriggerData *data, option const &o) {
    column_list key{nullptr, 0};
    if (o.value != nullptr)
        key = columns_option(data, o);
    if (key.count > max_key_columns)
        bad_option(data, o, psprintf("a list of %d columns at the most", max_key_columns));
    return key;
}

AttrNumber column_option(TriggerData *data, option const &o) {
    column_list list = columns_option(data, o);
    if (list.count != 1)
        bad_option(data, o, "one column");
    return list.columns[0];
}

namespace {

// In the memory of a statement, with the memory that holds it.
struct kept_settings {
    MemoryContext memory;
    uint64 as_of; // invalidations
    Oid table;
    Oid trigger;
    void *settings;
};

} // namespace

void *settings_of(FunctionCallInfo fcinfo, TriggerData *data, void *(*take)(TriggerData *)) {
    auto *kept = static_cast<kept_settings *>(fcinfo->flinfo->fn_extra);
    uint64 now = pg::invalidations();
    Oid table = RelationGetRelid(data->tg_relation), trigger = data->tg_trigger->tgoid;
    if (kept != nullptr && kept->as_of == now && kept->table == table && kept->trigger == trigger)
        return kept->settings;
    MemoryContext memory =
        AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "weir trigger arguments", ALLOCSET_SMALL_SIZES);
    MemoryContext before = MemoryContextSwitchTo(memory);
    auto *fresh = static_cast<kept_settings *>(palloc(sizeof(kept_settings)));
    *fresh = {memory, now, table, trigger, take(data)};
    MemoryContextSwitchTo(before);
    fcinfo->flinfo->fn_extra = fresh;
    if (kept != nullptr)
        MemoryContextDelete(kept->memory);
    return fresh->settings;
}

bool is_position(Oid type) {
    return type == GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("position"),
                                   ObjectIdGetDatum(get_namespace_oid("weir", false)));
}

column_list primary_key_of(Relation table) {
    list_free(RelationGetIndexList(table)); // which finds it
    if (!OidIsValid(table->rd_pkindex))
        return {nullptr, 0};
    HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(table->rd_pkindex));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for index %u", table->rd_pkindex);
    auto *index = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
    column_list list{pg::palloc_array_of<AttrNumber>(index->indnkeyatts), index->indnkeyatts};
    for (int i = 0; i < list.count; i++)
        list.columns[i] = index->indkey.values[i];
    ReleaseSysCache(tuple);
    return list;
}

} // namespace weir::pg::trigger
