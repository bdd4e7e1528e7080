// SPDX-License-Identifier: PostgreSQL
//
// Trigger function outbox(): each change of a row becomes an event. Row level,
// also as a deferred constraint trigger, and statement level over transition tables, where old and new
// rows come in pairs, in the order of their update; TRUNCATE is one event.
//
// It runs as whoever makes the change, who needs no privilege on weir: that the
// table's changes go to the stream was decided by whoever owns the table, who has to have level write for it.
#include "pg/pg.hpp"

#include "name/argument.hpp"
#include "name/reserved.hpp"
#include "outbox/buffer.hpp"
#include "outbox/columns.hpp"
#include "pg/function.hpp"
#include "pg/json.hpp"
#include "pg/memory.hpp"
#include "pg/owner.hpp"
#include "stream/request.hpp"
#include "pg/trigger.hpp"
#include "pg/trigger_table.hpp"

namespace name = weir::name;
namespace outbox = weir::outbox;
namespace pg = weir::pg;
namespace stream = weir::stream;

namespace {

constexpr const char *function = "weir.outbox()";

// The arguments, understood; kept for the statement.
struct settings {
    std::string_view stream;
    const char *type; // nullptr: table.operation
    bool with_old;
    outbox::column *key;
    int key_count;
    outbox::column *columns;
    bool *changed; // of the update at hand
    int column_count;
    outbox::column *headers;
    int header_count;
    pg::text_depends_on needs; // the most that any of the columns does
    const char *schema;
    const char *table;
};

outbox::column *prepare_all(settings &s, Relation table, pg::trigger::column_list const &list) {
    auto *columns = pg::palloc_array_of<outbox::column>(list.count);
    for (int i = 0; i < list.count; i++)
        outbox::prepare(columns[i], table, list.columns[i]);
    for (int i = 0; i < list.count; i++)
        s.needs = columns[i].needs > s.needs ? columns[i].needs : s.needs;
    return columns;
}

pg::trigger::column_list all_columns(Relation table) {
    TupleDesc descriptor = RelationGetDescr(table);
    pg::trigger::column_list list{pg::palloc_array_of<AttrNumber>(descriptor->natts), 0};
    for (int i = 0; i < descriptor->natts; i++) {
        if (!TupleDescAttr(descriptor, i)->attisdropped)
            list.columns[list.count++] = TupleDescAttr(descriptor, i)->attnum;
    }
    return list;
}

// The owner of the table, since nobody else made its changes go there; who made the trigger is not known to the
// server. It may be a clone of one on any of the tables that this is a partition of.
void require_write(TriggerData *data, std::string_view stream) {
    Relation table = data->tg_relation;
    List *ancestors = data->tg_trigger->tgisclone && table->rd_rel->relispartition
                          ? get_partition_ancestors(RelationGetRelid(table))
                          : nullptr;
    if (ancestors == nullptr)
        name::require(table->rd_rel->relowner, name::level::write, stream);
    for (int i = 0; i < list_length(ancestors); i++)
        name::require(pg::owner_of(list_nth_oid(ancestors, i)), name::level::write, stream);
}

std::string_view stream_argument(TriggerData *data) {
    if (data->tg_trigger->tgnargs == 0)
        pg::trigger::misused(data, function, "needs the stream as its first argument",
                             "Write EXECUTE FUNCTION weir.outbox('stream').");
    std::string_view stream{data->tg_trigger->tgargs[0]};
    name::check_name(stream, "stream name");
    name::refuse_reserved(stream);
    require_write(data, stream);
    return stream;
}

settings *take_settings(TriggerData *data) {
    enum { key_option, columns_option, type_option, headers_option, old_option };
    pg::trigger::option options[] = {
        {"key", nullptr}, {"columns", nullptr}, {"type", nullptr}, {"headers", nullptr}, {"old", nullptr}};
    auto *s = static_cast<settings *>(palloc0(sizeof(settings)));
    s->stream = stream_argument(data);
    pg::trigger::take_options(data, function, 1, options, lengthof(options));

    s->type = options[type_option].value;
    if (s->type != nullptr && (*s->type == '\0' || strlen(s->type) > 512))
        pg::trigger::bad_option(data, options[type_option], "from 1 to 512 bytes long");
    s->with_old = true;
    if (const char *old = options[old_option].value; old != nullptr && !parse_bool(old, &s->with_old))
        pg::trigger::bad_option(data, options[old_option], "on or off");

    Relation table = data->tg_relation;
    pg::trigger::column_list key = options[key_option].value == nullptr
                                       ? pg::trigger::primary_key_of(table)
                                       : pg::trigger::columns_option(data, options[key_option]);
    if (key.count == 0 && !TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
        pg::trigger::misused(data, function, "needs a table with a primary key, or the argument key",
                             "Add a primary key, or name the columns that tell rows apart: 'key=a,b'.");
    s->key = prepare_all(*s, table, key);
    s->key_count = key.count;
    pg::trigger::column_list columns = options[columns_option].value == nullptr
                                           ? all_columns(table)
                                           : pg::trigger::columns_option(data, options[columns_option]);
    s->columns = prepare_all(*s, table, columns);
    s->column_count = columns.count;
    s->changed = pg::palloc_array_of<bool>(columns.count);
    if (options[headers_option].value != nullptr) {
        pg::trigger::column_list headers = pg::trigger::columns_option(data, options[headers_option]);
        s->headers = prepare_all(*s, table, headers);
        s->header_count = headers.count;
    }
    Oid named = pg::trigger::named_table(data);
    s->table = get_rel_name(named);
    s->schema = get_namespace_name(get_rel_namespace(named));
    return s;
}

const char *operation_of(TriggerEvent event) {
    if (TRIGGER_FIRED_BY_INSERT(event))
        return "insert";
    if (TRIGGER_FIRED_BY_UPDATE(event))
        return "update";
    if (TRIGGER_FIRED_BY_DELETE(event))
        return "delete";
    return "truncate";
}

bool any_changed(outbox::column const *columns, int count, TupleTableSlot *old_row, TupleTableSlot *new_row) {
    for (int i = 0; i < count; i++) {
        if (!outbox::is_same(columns[i], old_row, new_row))
            return true;
    }
    return false;
}

bool find_changed(settings const &s, TupleTableSlot *old_row, TupleTableSlot *new_row) {
    bool any = false;
    for (int i = 0; i < s.column_count; i++)
        any |= s.changed[i] = !outbox::is_same(s.columns[i], old_row, new_row);
    return any;
}

void add_changed(pg::json_writer &into, settings const &s) {
    into.key("changed");
    into.begin_array();
    for (int i = 0; i < s.column_count; i++) {
        if (s.changed[i])
            into.element(pg::json_string(s.columns[i].name));
    }
    into.end_array();
}

void emit(settings const &s, const char *operation, Jsonb *payload, NullableDatum headers) {
    const char *type = s.type != nullptr ? s.type : psprintf("%s.%s", s.table, operation);
    NullableDatum type_datum{CStringGetTextDatum(type), false};
    stream::check_frame_size(PointerGetDatum(payload), type_datum, headers);
    outbox::add(s.stream, type_datum, PointerGetDatum(payload), headers);
}

pg::json_writer begin(settings const &s, const char *operation) {
    pg::json_writer payload;
    payload.begin_object();
    payload.add("op", operation);
    payload.add("schema", s.schema);
    payload.add("table", s.table);
    return payload;
}

// Either row may be missing: there is none, or the trigger does not have it.
void emit_row(settings const &s, const char *operation, TupleTableSlot *old_row, TupleTableSlot *new_row) {
    bool both = old_row != nullptr && new_row != nullptr;
    bool key_changed = both && any_changed(s.key, s.key_count, old_row, new_row);
    bool changed = both && find_changed(s, old_row, new_row);
    if (both && !key_changed && !changed)
        return;
    TupleTableSlot *present = new_row != nullptr ? new_row : old_row;
    pg::json_writer payload = begin(s, operation);
    outbox::add_object(payload, "key", s.key, s.key_count, present);
    if (key_changed)
        outbox::add_object(payload, "old_key", s.key, s.key_count, old_row);
    if (old_row != nullptr && s.with_old)
        outbox::add_object(payload, "old", s.columns, s.column_count, old_row);
    if (new_row != nullptr)
        outbox::add_object(payload, "new", s.columns, s.column_count, new_row);
    if (both)
        add_changed(payload, s);
    NullableDatum headers{Datum{0}, true};
    if (s.header_count > 0) {
        pg::json_writer of_headers;
        of_headers.begin_object();
        for (int i = 0; i < s.header_count; i++)
            outbox::add(of_headers, s.headers[i], present);
        headers = {JsonbPGetDatum(of_headers.finish()), false};
    }
    emit(s, operation, payload.finish(), headers);
}

TupleTableSlot *start_reading(Tuplestorestate *store, Relation table, int *pointer) {
    if (store == nullptr)
        return nullptr;
    *pointer = tuplestore_alloc_read_pointer(store, EXEC_FLAG_REWIND);
    tuplestore_select_read_pointer(store, *pointer);
    tuplestore_rescan(store);
    return MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsMinimalTuple);
}

bool next_row(Tuplestorestate *store, int pointer, TupleTableSlot *row) {
    if (store == nullptr)
        return false;
    tuplestore_select_read_pointer(store, pointer);
    return tuplestore_gettupleslot(store, true, false, row);
}

// Old and new rows went into their tables in one go, so they are pairs.
void emit_statement(settings const &s, const char *operation, TriggerData *data, MemoryContext per_row) {
    Tuplestorestate *old_rows = data->tg_oldtable, *new_rows = data->tg_newtable;
    if (old_rows == nullptr && new_rows == nullptr)
        pg::trigger::misused(data, function, "needs transition tables to be fired FOR EACH STATEMENT",
                             "Write REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows, or FOR EACH ROW.");
    int old_pointer = 0, new_pointer = 0;
    TupleTableSlot *old_row = start_reading(old_rows, data->tg_relation, &old_pointer);
    TupleTableSlot *new_row = start_reading(new_rows, data->tg_relation, &new_pointer);
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        bool has_old = next_row(old_rows, old_pointer, old_row), has_new = next_row(new_rows, new_pointer, new_row);
        if (!has_old && !has_new)
            break;
        if ((old_rows != nullptr && !has_old) || (new_rows != nullptr && !has_new))
            elog(ERROR, "transition tables differ in length");
        MemoryContext before = MemoryContextSwitchTo(per_row);
        emit_row(s, operation, old_row, new_row);
        MemoryContextSwitchTo(before);
        MemoryContextReset(per_row);
    }
    for (TupleTableSlot *row : {old_row, new_row}) {
        if (row != nullptr)
            ExecDropSingleTupleTableSlot(row);
    }
}

} // namespace

WEIR_FUNCTION(weir_outbox) {
    TriggerData *data = pg::trigger::data_of(fcinfo, function);
    if (!TRIGGER_FIRED_AFTER(data->tg_event))
        pg::trigger::misused(data, function, "must be fired AFTER the change", nullptr);
    pg::require_writable(function);
    settings *s = pg::trigger::settings_of<take_settings>(fcinfo, data);

    const char *operation = operation_of(data->tg_event);
    int fixed = pg::begin_fixed_settings(s->needs);
    MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "weir event", ALLOCSET_DEFAULT_SIZES);
    if (TRIGGER_FIRED_FOR_STATEMENT(data->tg_event) && !TRIGGER_FIRED_BY_TRUNCATE(data->tg_event)) {
        emit_statement(*s, operation, data, per_row);
    } else {
        MemoryContext before = MemoryContextSwitchTo(per_row);
        if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event)) {
            emit(*s, operation, begin(*s, operation).finish(), {Datum{0}, true});
        } else {
            bool update = TRIGGER_FIRED_BY_UPDATE(data->tg_event), removal = TRIGGER_FIRED_BY_DELETE(data->tg_event);
            emit_row(*s, operation, update || removal ? data->tg_trigslot : nullptr,
                     update    ? data->tg_newslot
                     : removal ? nullptr
                               : data->tg_trigslot);
        }
        MemoryContextSwitchTo(before);
    }
    MemoryContextDelete(per_row);
    pg::end_fixed_settings(fixed);
    return Datum{0};
}
