// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "log/table.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/invalidation.hpp"
#include "pg/json.hpp"
#include "pg/spi.hpp"
#include "pg/text.hpp"
#include "stream/hooks.hpp"
#include "stream/lifetime.hpp"
#include "stream/properties.hpp"
#include "stream/names.hpp"

namespace weir::stream {

namespace {

namespace spi = pg::spi;
using pg::null_argument;

struct description {
    const char *name;
    property_type type;
    double least, greatest;
    property_value otherwise;
    bool alterable;
};

constexpr description described[] = {
#define WEIR_ROW(name, type, least, greatest, otherwise, alterable)                                                    \
    {#name, property_type::type, least, greatest, otherwise, alterable},
    WEIR_STREAM_PROPERTIES(WEIR_ROW)
#undef WEIR_ROW
};

constexpr properties make_defaults() {
    properties p{};
    for (int i = 0; i < property_count; i++)
        p.values[i] = described[i].otherwise;
    return p;
}
constexpr properties defaults = make_defaults();

constexpr uint32 bit(int i) { return uint32{1} << i; }

bool has_default(description const &d) {
    return d.type == property_type::text || d.type == property_type::real || d.otherwise.integer != none;
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
    case property_type::real:
        break;
    }
    return psprintf("above %g and at most %g", d.least, d.greatest);
}

// As it is kept -------------------------------------------------------------------

JsonbValue to_json(description const &d, property_value value) {
    if (d.type == property_type::text)
        return pg::json_string(value.text);
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

Jsonb *to_jsonb(properties const &p, bool as_shown) {
    pg::json_writer out;
    out.begin_object();
    for (int i = 0; i < property_count; i++) {
        if (!(p.set & bit(i)))
            continue;
        if (as_shown && (type_of(described[i]) == INTERVALOID || described[i].type == property_type::time))
            out.add(described[i].name, std::string_view{show(described[i], p.values[i])});
        else
            out.add(described[i].name, to_json(described[i], p.values[i]));
    }
    return out.finish();
}

properties from_jsonb(Jsonb *kept, MemoryContext memory) {
    properties p = defaults;
    for (int i = 0; i < property_count; i++) {
        description const &d = described[i];
        JsonbValue v;
        if (getKeyJsonValueFromContainer(&kept->root, d.name, static_cast<int>(strlen(d.name)), &v) != nullptr &&
            from_json(d, v, memory, p.values[i]))
            p.set |= bit(i);
    }
    return p;
}

// As a backend remembers it ---------------------------------------------------------

constinit log::source property_table{"stream_property"};
constinit log::source property_index{"stream_property_pkey"};
enum { properties_column = 2, due_column = 4 }; // of the table in sql/stream.sql

struct remembered {
    int64 stream_id;
    properties *set; // nullptr: defaults
};
constexpr uint32 slots = 4096;
remembered *memory = nullptr;
MemoryContext memory_of_all = nullptr;
bool forget_pending = false;
void forget_later() { forget_pending = true; }

remembered *slot_of(int64 stream_id) {
    if (forget_pending) {
        MemoryContextReset(memory_of_all);
        memory = nullptr;
        forget_pending = false;
    }
    if (memory == nullptr) {
        log::on_invalidate(forget_later);
        if (memory_of_all == nullptr)
            memory_of_all = AllocSetContextCreate(TopMemoryContext, "weir stream properties", ALLOCSET_DEFAULT_SIZES);
        memory = static_cast<remembered *>(MemoryContextAllocZero(memory_of_all, sizeof(remembered) * slots));
    }
    return &memory[static_cast<uint32>(stream_id) & (slots - 1)];
}

void remember(int64 stream_id, properties const &p) {
    remembered *slot = slot_of(stream_id);
    if (slot->set != nullptr) {
        for (int i = 0; i < property_count; i++) {
            if (described[i].type == property_type::text && (slot->set->set & bit(i)))
                pfree(const_cast<char *>(slot->set->values[i].text));
        }
        pfree(slot->set);
    }
    *slot = {stream_id, nullptr};
    if (p.set == 0)
        return;
    auto *copy = static_cast<properties *>(MemoryContextAlloc(memory_of_all, sizeof(properties)));
    *copy = p;
    for (int i = 0; i < property_count; i++) {
        if (described[i].type == property_type::text && (p.set & bit(i)))
            copy->values[i].text = MemoryContextStrdup(memory_of_all, p.values[i].text);
    }
    *slot = {stream_id, copy};
}

properties read_kept(int64 stream_id, Snapshot snapshot) {
    properties p = defaults;
    ScanKeyData key;
    ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(stream_id));
    Relation table = log::open_relation(property_table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(table, log::relation_oid(property_index), true, snapshot, 1, &key);
    if (HeapTuple row = systable_getnext(scan)) {
        bool null = false;
        p = from_jsonb(DatumGetJsonbP(heap_getattr(row, properties_column, RelationGetDescr(table), &null)),
                       CurrentMemoryContext);
        Datum due = heap_getattr(row, due_column, RelationGetDescr(table), &null);
        p.due_ms = null ? 0 : DatumGetInt64(due);
    }
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    return p;
}

// Where the stream is only being created, by whoever, its properties are not remembered:
// nobody is told of those that a stream is created with.
properties look_up(int64 stream_id) {
    uint64 before = pg::invalidations();
    bool decided = !name::is_in_flight(stream_id);
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    properties p = read_kept(stream_id, latest);
    UnregisterSnapshot(latest);
    (void)slot_of(stream_id); // may take the time to forget
    if (decided && pg::invalidations() == before)
        remember(stream_id, p);
    return p;
}

constinit spi::statement insert_statement{
    "INSERT INTO weir.stream_property (stream_id, properties, retained, due_at) VALUES ($1, $2, $3, $4)",
    4,
    {INT8OID, JSONBOID, BOOLOID, INT8OID}};
constinit spi::statement delete_statement{
    "DELETE FROM weir.stream_property WHERE stream_id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}};

// As it is given -------------------------------------------------------------------

// Where the call's parameters are: of its declaration, which may be another version's.
struct parameters {
    int at[property_count];
    int reset; // -1: there is none
};

[[noreturn]] void raise_other_version(const char *name) {
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("a function of weir is declared with other parameters"),
                    errdetail("The library and the declaration differ in \"%s\".", name),
                    errhint("Run ALTER EXTENSION weir UPDATE.")));
    pg_unreachable();
}

int find_property(std::string_view name) {
    for (int i = 0; i < property_count; i++) {
        if (name == described[i].name)
            return i;
    }
    return -1;
}

void place_parameters(Oid function, parameters &out) {
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
    for (int n = 1; n < count && names != nullptr; n++) { // the first is the stream
        int i = find_property(names[n]);
        if (i >= 0 && types[n] == type_of(described[i]))
            out.at[i] = n;
        else if (i < 0 && strcmp(names[n], "reset") == 0 && types[n] == TEXTARRAYOID)
            out.reset = n;
        else
            raise_other_version(names[n]);
    }
    ReleaseSysCache(row);
    for (int i = 0; i < property_count; i++) {
        if (out.at[i] < 0)
            raise_other_version(described[i].name);
    }
}

parameters const &parameters_of(FunctionCallInfo fcinfo) {
    if (fcinfo->flinfo->fn_extra == nullptr) {
        auto *found = static_cast<parameters *>(MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(parameters)));
        place_parameters(fcinfo->flinfo->fn_oid, *found);
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

void refuse_unalterable(description const &d) {
    if (!d.alterable)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s cannot be altered", d.name),
                        errdetail("What the stream has already would mean something else."),
                        errhint("Create another stream with it.")));
}

void reset_one(properties &p, std::string_view name, uint32 given) {
    int i = find_property(name);
    if (i < 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("a stream has no property \"%.*s\"", pg::shown(name), name.data()),
                        errhint("Those that there are are listed by weir.list_stream_properties().")));
    refuse_unalterable(described[i]);
    if (given & bit(i))
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is both given and reset", described[i].name)));
    p.values[i] = described[i].otherwise;
    p.set &= ~bit(i);
}

int reset_all(properties &p, Datum names, uint32 given) {
    Datum *elements = nullptr;
    bool *nulls = nullptr;
    int count = 0;
    deconstruct_array(DatumGetArrayTypeP(names), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
    for (int i = 0; i < count; i++) {
        if (nulls[i])
            null_argument("an element of reset");
        reset_one(p, pg::view_of(elements[i]), given);
    }
    return count;
}

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

properties default_properties() { return defaults; }

properties properties_of(int64 stream_id) {
    remembered const *slot = slot_of(stream_id);
    if (likely(slot->stream_id == stream_id))
        return slot->set == nullptr ? defaults : *slot->set;
    return look_up(stream_id);
}

properties properties_seen(int64 stream_id, Snapshot snapshot) { return read_kept(stream_id, snapshot); }

properties take_properties(FunctionCallInfo fcinfo, change how, properties const &before) {
    parameters const &where = parameters_of(fcinfo);
    properties p = before;
    uint32 given = 0;
    for (int i = 0; i < property_count; i++) {
        if (PG_ARGISNULL(where.at[i]))
            continue;
        if (how == change::alter)
            refuse_unalterable(described[i]);
        p.values[i] = value_of(described[i], PG_GETARG_DATUM(where.at[i]));
        say_of_short_age(described[i], p.values[i]);
        given |= bit(i);
    }
    p.set |= given;
    if (how == change::create)
        return p;
    int resets = PG_ARGISNULL(where.reset) ? 0 : reset_all(p, PG_GETARG_DATUM(where.reset), given);
    if (given == 0 && resets == 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("no property is given, and none to reset")));
    return p;
}

void keep_properties(int64 stream_id, properties const &given, bool is_new) {
    properties p = given;
    p.due_ms = first_end(p);
    Oid table = log::relation_oid(property_table);
    spi::session session = spi::begin(table);
    bool retained = p.is_set(property::max_age) || p.is_set(property::max_frames);
    Datum values[] = {Int64GetDatum(stream_id), JsonbPGetDatum(to_jsonb(p, false)), BoolGetDatum(retained),
                      Int64GetDatum(p.due_ms)};
    bool nulls[] = {false, false, false, p.due_ms == 0};
    uint64 changed = is_new ? 0 : spi::write(delete_statement, values, nullptr);
    if (p.set != 0)
        changed += spi::write(insert_statement, values, nulls);
    spi::end(session);
    if (changed > 0 && !is_new)
        CacheInvalidateRelcacheByRelid(table);
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
    description d = described[static_cast<int>(p)];
    d.name = called;
    return value_of(d, PG_GETARG_DATUM(n)).integer;
}

Jsonb *show_properties(properties const &p) { return to_jsonb(p, true); }

} // namespace weir::stream

namespace pg = weir::pg;
namespace stream = weir::stream;

WEIR_FUNCTION(weir_list_stream_properties) {
    pg::result_set rows = pg::begin_result_set(fcinfo);
    for (stream::description const &d : stream::described) {
        const char *otherwise = stream::has_default(d) ? stream::show(d, d.otherwise) : "";
        Datum values[] = {CStringGetTextDatum(d.name), ObjectIdGetDatum(stream::type_of(d)),
                          CStringGetTextDatum(otherwise), CStringGetTextDatum(stream::range_of(d)),
                          BoolGetDatum(d.alterable)};
        bool nulls[5] = {false, false, !stream::has_default(d)};
        rows.add(values, nulls);
    }
    return Datum{0};
}
