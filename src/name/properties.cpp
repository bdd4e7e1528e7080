// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "name/properties.hpp"
#include "name/registry.hpp"
#include "pg/argument.hpp"
#include "pg/invalidation.hpp"
#include "pg/json.hpp"
#include "pg/text.hpp"

namespace weir::name {

struct remembered_properties {
    int64 id;
    property_values *set; // nullptr: defaults
};

struct memory {
    MemoryContext context;
    uint64 generation;
    remembered_properties *slots; // nullptr: nothing is remembered
};

namespace {

using pg::null_argument;
using description = property_description;

constexpr uint32 bit(int i) { return uint32{1} << i; }

bool has_default(description const &d) {
    return d.type == property_type::text || d.type == property_type::real || d.otherwise.integer != no_default;
}

Oid type_of(description const &d) {
    switch (d.type) {
    case property_type::text:
        return TEXTOID;
    case property_type::interval:
    case property_type::age:
        return INTERVALOID;
    case property_type::time:
        return TIMESTAMPTZOID;
    case property_type::integer:
        return INT4OID;
    case property_type::bigint:
        return INT8OID;
    case property_type::boolean:
        return BOOLOID;
    case property_type::real:
        break;
    }
    return FLOAT8OID;
}

// As people write it --------------------------------------------------------------

const char *show_interval(int64 ms) {
    constexpr int64 second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
    char days[32] = "", fraction[8] = "";
    if (ms >= day)
        snprintf(days, sizeof days, INT64_FORMAT " day%s", ms / day, ms / day == 1 ? "" : "s");
    if (ms >= day && ms % day == 0)
        return pstrdup(days);
    if (ms % second != 0)
        snprintf(fraction, sizeof fraction, ".%03d", static_cast<int>(ms % second));
    return psprintf("%s%s%02d:%02d:%02d%s", days, ms >= day ? " " : "", static_cast<int>(ms % day / hour),
                    static_cast<int>(ms % hour / minute), static_cast<int>(ms % minute / second), fraction);
}

TimestampTz to_time(int64 ms) { return log::clock::to_timestamptz(core::make(ms, 0)); }

// In UTC, whatever the session's settings.
const char *show_time(int64 ms) {
    char out[128];
    int utc = 0;
    return pstrdup(JsonEncodeDateTime(out, TimestampTzGetDatum(to_time(ms)), TIMESTAMPTZOID, &utc));
}

const char *show(description const &d, property_value value) {
    switch (d.type) {
    case property_type::text:
        return value.text;
    case property_type::interval:
    case property_type::age:
        return show_interval(value.integer);
    case property_type::time:
        return show_time(value.integer);
    case property_type::integer:
    case property_type::bigint:
        return psprintf(INT64_FORMAT, value.integer);
    case property_type::boolean:
        return value.integer != 0 ? "true" : "false";
    case property_type::real:
        break;
    }
    char out[DOUBLE_SHORTEST_DECIMAL_LEN];
    double_to_shortest_decimal_buf(value.real, out);
    return pstrdup(out);
}

const char *range_of(description const &d) {
    switch (d.type) {
    case property_type::text:
        return psprintf("from %d to %d bytes", static_cast<int>(d.least), static_cast<int>(d.greatest));
    case property_type::interval:
    case property_type::age:
        return psprintf("from %s to %s", show_interval(static_cast<int64>(d.least)),
                        show_interval(static_cast<int64>(d.greatest)));
    case property_type::time:
        return psprintf("a time before %s", show_time(static_cast<int64>(d.greatest)));
    case property_type::integer:
    case property_type::bigint:
        if (d.greatest == no_end)
            return psprintf("at least " INT64_FORMAT, static_cast<int64>(d.least));
        return psprintf("from " INT64_FORMAT " to " INT64_FORMAT, static_cast<int64>(d.least),
                        static_cast<int64>(d.greatest));
    case property_type::boolean:
        return "true or false";
    case property_type::real:
        break;
    }
    return psprintf("above %g and at most %g", d.least, d.greatest);
}

// As it is kept -------------------------------------------------------------------

JsonbValue to_json(description const &d, property_value value) {
    if (d.type == property_type::text)
        return pg::json_string(value.text);
    if (d.type == property_type::boolean) {
        JsonbValue v;
        v.type = jbvBool;
        v.val.boolean = value.integer != 0;
        return v;
    }
    if (d.type != property_type::real)
        return pg::json_number(value.integer);
    JsonbValue v;
    v.type = jbvNumeric;
    v.val.numeric = DatumGetNumeric(DirectFunctionCall1(float8_numeric, Float8GetDatum(value.real)));
    return v;
}

// Of a dump, maybe of a later version: what does not fit is left to its default.
bool from_json(description const &d, JsonbValue const &v, MemoryContext memory, property_value &out) {
    if (d.type == property_type::text) {
        if (v.type != jbvString)
            return false;
        auto *copy = static_cast<char *>(MemoryContextAlloc(memory, static_cast<Size>(v.val.string.len) + 1));
        memcpy(copy, v.val.string.val, static_cast<std::size_t>(v.val.string.len));
        copy[v.val.string.len] = '\0';
        out.text = copy;
        return true;
    }
    if (d.type == property_type::boolean) {
        out.integer = v.type == jbvBool && v.val.boolean;
        return v.type == jbvBool;
    }
    if (v.type != jbvNumeric)
        return false;
    double number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(v.val.numeric)));
    if (!(number >= d.least && number <= d.greatest))
        return false;
    if (d.type == property_type::real)
        out.real = number;
    else
        out.integer = static_cast<int64>(number);
    return true;
}

property_values from_jsonb(property_family const &f, Jsonb *kept, MemoryContext memory) {
    property_values p = default_properties(f);
    for (int i = 0; i < f.count; i++) {
        description const &d = f.described[i];
        JsonbValue v;
        if (getKeyJsonValueFromContainer(&kept->root, d.name, static_cast<int>(strlen(d.name)), &v) != nullptr &&
            from_json(d, v, memory, p.values[i]))
            p.set |= bit(i);
    }
    return p;
}

// As a backend remembers it ---------------------------------------------------------

constexpr uint32 slots = 4096;
uint64 generation = 0; // of all that is remembered
void forget_later() { generation++; }

remembered_properties *slot_of(property_family &f, int64 id) {
    if (f.known == nullptr) {
        log::on_invalidate(forget_later);
        auto *m = static_cast<memory *>(MemoryContextAllocZero(TopMemoryContext, sizeof(memory)));
        m->context = AllocSetContextCreate(TopMemoryContext, "weir properties", ALLOCSET_DEFAULT_SIZES);
        f.known = m;
    }
    memory &m = *f.known;
    if (m.slots == nullptr || m.generation != generation) {
        MemoryContextReset(m.context);
        m.slots = nullptr;
        m.slots = static_cast<remembered_properties *>(
            MemoryContextAllocZero(m.context, sizeof(remembered_properties) * slots));
        m.generation = generation;
    }
    return &m.slots[static_cast<uint32>(id) & (slots - 1)];
}

void remember(property_family &f, int64 id, property_values const &p) {
    remembered_properties *slot = slot_of(f, id);
    auto is_text = [&](int i) { return f.described[i].type == property_type::text; };
    if (slot->set != nullptr) {
        for (int i = 0; i < f.count; i++) {
            if (is_text(i) && slot->set->is_set(i))
                pfree(const_cast<char *>(slot->set->values[i].text));
        }
        pfree(slot->set);
    }
    *slot = {id, nullptr};
    if (p.set == 0)
        return;
    auto *copy = static_cast<property_values *>(MemoryContextAlloc(f.known->context, sizeof(property_values)));
    *copy = p;
    for (int i = 0; i < f.count; i++) {
        if (is_text(i) && p.is_set(i))
            copy->values[i].text = MemoryContextStrdup(f.known->context, p.values[i].text);
    }
    *slot = {id, copy};
}

property_values read_kept(property_family &f, int64 id, Snapshot snapshot) {
    constexpr int properties_column = 2;
    property_values p = default_properties(f);
    ScanKeyData key;
    ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
    Relation table = log::open_relation(f.table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(table, log::relation_oid(f.index), true, snapshot, 1, &key);
    if (HeapTuple row = systable_getnext(scan)) {
        bool null = false;
        p = from_jsonb(f, DatumGetJsonbP(heap_getattr(row, properties_column, RelationGetDescr(table), &null)),
                       CurrentMemoryContext);
        if (f.due_column != 0) {
            Datum due = heap_getattr(row, f.due_column, RelationGetDescr(table), &null);
            p.due_ms = null ? 0 : DatumGetInt64(due);
        }
    }
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    return p;
}

// Where the log is only being created, by whoever, its properties are not remembered:
// nobody is told of those that it is created with.
property_values look_up(property_family &f, int64 id) {
    uint64 before = pg::invalidations();
    bool decided = !is_in_flight(id);
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    property_values p = read_kept(f, id, latest);
    UnregisterSnapshot(latest);
    (void)slot_of(f, id); // may take the time to forget
    if (decided && pg::invalidations() == before)
        remember(f, id, p);
    return p;
}

// As it is given -------------------------------------------------------------------

// Where the call's parameters are: of its declaration, which may be another version's.
struct parameters {
    int at[max_properties];
    int reset; // -1: there is none
};

[[noreturn]] void raise_other_version(const char *name) {
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("a function of weir is declared with other parameters"),
                    errdetail("The library and the declaration differ in \"%s\".", name),
                    errhint("Run ALTER EXTENSION weir UPDATE.")));
    pg_unreachable();
}

int find_property(property_family const &f, std::string_view name) {
    for (int i = 0; i < f.count; i++) {
        if (name == f.described[i].name)
            return i;
    }
    return -1;
}

void place_parameters(property_family const &f, Oid function, parameters &out) {
    HeapTuple row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(row))
        elog(ERROR, "cache lookup failed for function %u", function);
    Oid *types = nullptr;
    char **names = nullptr;
    char *modes = nullptr;
    int count = get_func_arg_info(row, &types, &names, &modes);
    for (int &at : out.at)
        at = -1;
    out.reset = -1;
    for (int n = 1; n < count && names != nullptr; n++) { // the first is the name
        int i = find_property(f, names[n]);
        if (i >= 0 && types[n] == type_of(f.described[i]))
            out.at[i] = n;
        else if (i < 0 && strcmp(names[n], "reset") == 0 && types[n] == TEXTARRAYOID)
            out.reset = n;
        else
            raise_other_version(names[n]);
    }
    ReleaseSysCache(row);
    for (int i = 0; i < f.count; i++) {
        if (out.at[i] < 0)
            raise_other_version(f.described[i].name);
    }
}

parameters const &parameters_of(property_family const &f, FunctionCallInfo fcinfo) {
    if (fcinfo->flinfo->fn_extra == nullptr) {
        auto *found = static_cast<parameters *>(MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(parameters)));
        place_parameters(f, fcinfo->flinfo->fn_oid, *found);
        fcinfo->flinfo->fn_extra = found;
    }
    return *static_cast<parameters *>(fcinfo->flinfo->fn_extra);
}

[[noreturn]] void raise_out_of_range(description const &d) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is out of range", d.name),
                    errdetail("It must be %s.", range_of(d))));
    pg_unreachable();
}

// Months count 30 days; what is beyond a hundred years is out of every range.
double in_ms(Interval const *span) {
    return (static_cast<double>(span->month) * DAYS_PER_MONTH + span->day) * day_ms +
           static_cast<double>(span->time) / 1000;
}

double number_of(description const &d, Datum given) {
    switch (d.type) {
    case property_type::interval:
    case property_type::age:
        return in_ms(DatumGetIntervalP(given));
    case property_type::time:
        if (TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(given)))
            return -1;
        return static_cast<double>(log::clock::to_unix_us(DatumGetTimestampTz(given))) / 1000;
    case property_type::integer:
        return DatumGetInt32(given);
    case property_type::boolean:
        return DatumGetBool(given);
    case property_type::bigint:
        return static_cast<double>(DatumGetInt64(given));
    case property_type::real:
        return DatumGetFloat8(given);
    case property_type::text:
        break;
    }
    return static_cast<double>(VARSIZE_ANY_EXHDR(DatumGetPointer(given)));
}

property_value value_of(description const &d, Datum given) {
    property_value out;
    if (d.type == property_type::text)
        given = PointerGetDatum(PG_DETOAST_DATUM_PACKED(given));
    double number = number_of(d, given);
    // An open lower end for what can come as near to it as it likes; not true of NaN.
    if (!(d.type == property_type::real ? number > d.least : number >= d.least) || !(number <= d.greatest))
        raise_out_of_range(d);
    if (d.type == property_type::text)
        out.text = text_to_cstring(DatumGetTextPP(given));
    else if (d.type == property_type::real)
        out.real = number;
    else
        out.integer = static_cast<int64>(number);
    return out;
}

// In seconds, where a unit was forgotten.
void say_of_short_age(description const &d, property_value value) {
    if (d.type == property_type::age && value.integer < SECS_PER_MINUTE * 1000)
        ereport(NOTICE, (errmsg("%s is %s", d.name, show(d, value)),
                         errhint("A number without a unit is seconds; days are '7 days'.")));
}

void refuse_unalterable(property_family const &f, description const &d) {
    if (!d.alterable)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s cannot be altered", d.name),
                        errdetail("What the %s has already would mean something else.", f.of.noun),
                        errhint("Create another %s with it.", f.of.noun)));
}

void reset_one(property_family const &f, property_values &p, std::string_view name, uint32 given) {
    int i = find_property(f, name);
    if (i < 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("a %s has no property \"%.*s\"", f.of.noun, pg::shown(name), name.data()),
                        errhint("Those that there are are listed by %s.", f.lister)));
    refuse_unalterable(f, f.described[i]);
    if (given & bit(i))
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is both given and reset", f.described[i].name)));
    p.values[i] = f.described[i].otherwise;
    p.set &= ~bit(i);
}

int reset_all(property_family const &f, property_values &p, Datum names, uint32 given) {
    Datum *elements = nullptr;
    bool *nulls = nullptr;
    int count = 0;
    deconstruct_array(DatumGetArrayTypeP(names), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
    for (int i = 0; i < count; i++) {
        if (nulls[i])
            null_argument("an element of reset");
        reset_one(f, p, pg::view_of(elements[i]), given);
    }
    return count;
}

} // namespace

property_values default_properties(property_family const &f) {
    property_values p{};
    for (int i = 0; i < f.count; i++)
        p.values[i] = f.described[i].otherwise;
    return p;
}

property_values properties_of(property_family &f, int64 id) {
    remembered_properties const *slot = slot_of(f, id);
    if (likely(slot->id == id))
        return slot->set == nullptr ? default_properties(f) : *slot->set;
    return look_up(f, id);
}

property_values properties_seen(property_family &f, int64 id, Snapshot snapshot) { return read_kept(f, id, snapshot); }

property_values take_properties(property_family const &f, FunctionCallInfo fcinfo, change how,
                                property_values const &before) {
    parameters const &where = parameters_of(f, fcinfo);
    property_values p = before;
    uint32 given = 0;
    for (int i = 0; i < f.count; i++) {
        if (PG_ARGISNULL(where.at[i]))
            continue;
        if (how == change::alter)
            refuse_unalterable(f, f.described[i]);
        p.values[i] = value_of(f.described[i], PG_GETARG_DATUM(where.at[i]));
        say_of_short_age(f.described[i], p.values[i]);
        given |= bit(i);
    }
    p.set |= given;
    if (how == change::create)
        return p;
    int resets = PG_ARGISNULL(where.reset) ? 0 : reset_all(f, p, PG_GETARG_DATUM(where.reset), given);
    if (given == 0 && resets == 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("no property is given, and none to reset")));
    return p;
}

int64 interval_argument(property_description const &d, FunctionCallInfo fcinfo, int n, const char *called) {
    property_description of_call = d;
    of_call.name = called;
    return value_of(of_call, PG_GETARG_DATUM(n)).integer;
}

Jsonb *properties_json(property_family const &f, property_values const &p, form how) {
    pg::json_writer out;
    out.begin_object();
    for (int i = 0; i < f.count; i++) {
        description const &d = f.described[i];
        if (!p.is_set(i))
            continue;
        if (how == form::shown && (type_of(d) == INTERVALOID || d.type == property_type::time))
            out.add(d.name, std::string_view{show(d, p.values[i])});
        else
            out.add(d.name, to_json(d, p.values[i]));
    }
    return out.finish();
}

void tell_of_change(property_family &f) { CacheInvalidateRelcacheByRelid(log::relation_oid(f.table)); }

void list_properties(property_family const &f, pg::result_set const &rows) {
    for (int i = 0; i < f.count; i++) {
        description const &d = f.described[i];
        const char *otherwise = has_default(d) ? show(d, d.otherwise) : "";
        Datum values[] = {CStringGetTextDatum(d.name), ObjectIdGetDatum(type_of(d)), CStringGetTextDatum(otherwise),
                          CStringGetTextDatum(range_of(d)), BoolGetDatum(d.alterable)};
        bool nulls[5] = {false, false, !has_default(d)};
        rows.add(values, nulls);
    }
}

} // namespace weir::name
