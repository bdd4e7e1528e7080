// SPDX-License-Identifier: PostgreSQL
//
// Trigger function trim_to(): deletes the oldest rows of each key, after inserts.
// Either all but the newest maxlen stay, or, where the order column tells time, those
// younger than ttl_ms, but at least maxlen_floor and at most maxlen_ceiling of
// them: so how many stay follows the rate of the inserts, without having to estimate it.
//
// Not each insert trims, but one in a quarter of what stays, and the ceiling, which
// is dear to look up, is looked at once in an eighth of it. Where another
// transaction is trimming a key, it is left to that one.
#include "pg/pg.hpp"

#include "log/clock.hpp"
#include "pg/fixed_settings.hpp"
#include "pg/function.hpp"
#include "pg/key_lock.hpp"
#include "pg/memory.hpp"
#include "pg/trigger.hpp"
#include "trigger/plan.hpp"
#include "pg/trigger_table.hpp"

namespace log_ = weir::log;
namespace pg = weir::pg;
namespace trigger = weir::trigger;

namespace {

constexpr const char *function = "weir.trim_to()";
using pg::trigger::max_key_columns;
constexpr int64 greatest_maxlen = 10000000;
constexpr int64 greatest_ttl_ms = INT64CONST(86400000) * 3650;
constexpr int rows_at_once = 1024;
constexpr int max_rounds = 16; // so many times

struct settings {
    Oid table;
    pg::trigger::column_list key;
    AttrNumber order;
    Oid order_type;
    bool by_age;
    int64 ttl_ms;
    int64 floor;
    int64 ceiling;
    int64 run;         // inserts of a key from one trim to the next
    int64 ceiling_run; // and from one look at the ceiling to the next
    // Parameters: the key's columns, the value of only, a number.
    Oid types[max_key_columns + 2];
    int type_count; // without the number
    bool has_only;
    Datum only;
    char *nth_newest_sql;
    char *oldest_sql;
    char *delete_sql; // parameters: table, rows
};

bool tells_time(Oid type) { return type != INT8OID && type != INT4OID; }

void take_order(settings &s, TriggerData *data, pg::trigger::option const &o) {
    if (o.value == nullptr)
        pg::trigger::misused(data, function, "needs the argument order",
                             "Name the column that rows are ordered by: 'order=id'.");
    s.order = pg::trigger::column_option(data, o);
    s.order_type = pg::trigger::type_of(data->tg_relation, s.order);
    if (!pg::trigger::is_position(s.order_type) && s.order_type != TIMESTAMPTZOID && s.order_type != INT8OID &&
        s.order_type != INT4OID)
        pg::trigger::bad_option(data, o, "a column of type weir.position, timestamp with time zone, bigint or integer");
}

void take_lengths(settings &s, TriggerData *data, pg::trigger::option const &maxlen, pg::trigger::option const &ttl,
                  pg::trigger::option const &floor, pg::trigger::option const &ceiling) {
    if ((maxlen.value == nullptr) == (ttl.value == nullptr))
        pg::trigger::misused(data, function, "needs exactly one of the arguments maxlen and ttl_ms",
                             "'maxlen=1000' keeps so many rows of each key, 'ttl_ms=30000' those of so much time.");
    if (maxlen.value != nullptr) {
        for (pg::trigger::option const &o : {floor, ceiling}) {
            if (o.value != nullptr)
                pg::trigger::bad_option(data, o, "left out where maxlen is given");
        }
        s.floor = s.ceiling = pg::trigger::integer_option(data, maxlen, 1, greatest_maxlen, 0);
        return;
    }
    s.by_age = true;
    if (!tells_time(s.order_type))
        pg::trigger::bad_option(data, ttl, "left out where the order column does not tell time");
    s.ttl_ms = pg::trigger::integer_option(data, ttl, 1, greatest_ttl_ms, 0);
    s.floor = pg::trigger::integer_option(data, floor, 1, greatest_maxlen, 64);
    s.ceiling = pg::trigger::integer_option(data, ceiling, s.floor, greatest_maxlen, s.floor > 16384 ? s.floor : 16384);
}

// only=column=value: other rows neither count nor go.
AttrNumber take_only(settings &s, TriggerData *data, pg::trigger::option const &o) {
    const char *equals = o.value == nullptr ? nullptr : strchr(o.value, '=');
    if (o.value == nullptr)
        return InvalidAttrNumber;
    if (equals == nullptr)
        pg::trigger::bad_option(data, o, "column=value");
    pg::trigger::option name{o.name, pnstrdup(o.value, equals - o.value)};
    AttrNumber column = pg::trigger::column_option(data, name);
    Oid type = pg::trigger::type_of(data->tg_relation, column), input, parameter;
    getTypeInputInfo(type, &input, &parameter);
    // The same value whoever inserts, whatever their style of dates and time zone.
    int fixed = pg::begin_fixed_settings(pg::text_of(type));
    s.only = OidInputFunctionCall(input, pstrdup(equals + 1), parameter, -1);
    pg::end_fixed_settings(fixed);
    s.has_only = true;
    return column;
}

int64 clamp_run(int64 run, int64 most) { return run < 1 ? 1 : run > most ? most : run; }

void write_statements(settings &s, Relation table, AttrNumber only) {
    StringInfoData where, sql;
    const char *name = pg::trigger::quoted_table(s.table);
    const char *order = quote_identifier(pg::trigger::name_of(table, s.order));
    initStringInfo(&where);
    for (int i = 0; i < s.key.count; i++) {
        s.types[i] = pg::trigger::type_of(table, s.key.columns[i]);
        appendStringInfoString(&where, i == 0 ? " WHERE " : " AND ");
        pg::trigger::append_equality(&where, pg::trigger::name_of(table, s.key.columns[i]), s.types[i], i + 1);
    }
    s.type_count = s.key.count;
    if (s.has_only) {
        s.types[s.type_count++] = pg::trigger::type_of(table, only);
        appendStringInfoString(&where, s.key.count == 0 ? " WHERE " : " AND ");
        pg::trigger::append_equality(&where, pg::trigger::name_of(table, only), s.types[s.type_count - 1],
                                     s.type_count);
    }
    s.types[s.type_count] = INT8OID;

    initStringInfo(&sql);
    appendStringInfo(&sql, "SELECT %s FROM %s%s ORDER BY %s DESC OFFSET $%d LIMIT 1", order, name, where.data, order,
                     s.type_count + 1);
    s.nth_newest_sql = sql.data;
    initStringInfo(&sql);
    appendStringInfo(&sql, "SELECT %s, tableoid, ctid FROM %s%s ORDER BY %s LIMIT $%d", order, name, where.data, order,
                     s.type_count + 1);
    s.oldest_sql = sql.data;
    // A row may lie in any partition, its ctid in each.
    initStringInfo(&sql);
    appendStringInfo(
        &sql, "DELETE FROM %s WHERE tableoid OPERATOR(pg_catalog.=) $1 AND ctid OPERATOR(pg_catalog.=) ANY ($2)", name);
    s.delete_sql = sql.data;
}

settings *take_settings(TriggerData *data) {
    enum { key_option, order_option, maxlen_option, ttl_option, floor_option, ceiling_option, only_option, run_option };
    pg::trigger::option options[] = {{"key", nullptr},    {"order", nullptr},        {"maxlen", nullptr},
                                     {"ttl_ms", nullptr}, {"maxlen_floor", nullptr}, {"maxlen_ceiling", nullptr},
                                     {"only", nullptr},   {"run", nullptr}};
    pg::trigger::take_options(data, function, 0, options, lengthof(options));
    auto *s = static_cast<settings *>(palloc0(sizeof(settings)));
    s->table = pg::trigger::named_table(data);
    if (s->table != RelationGetRelid(data->tg_relation))
        LockRelationOid(s->table, RowExclusiveLock); // as the statements will
    s->key = pg::trigger::key_option(data, options[key_option]);
    take_order(*s, data, options[order_option]);
    take_lengths(*s, data, options[maxlen_option], options[ttl_option], options[floor_option], options[ceiling_option]);
    AttrNumber only = take_only(*s, data, options[only_option]);
    s->run = pg::trigger::integer_option(data, options[run_option], 1, greatest_maxlen,
                                         clamp_run(s->floor / 4, rows_at_once));
    s->ceiling_run = options[run_option].value != nullptr ? s->run : clamp_run(s->ceiling / 8, greatest_maxlen);
    if (s->ceiling_run < s->run)
        s->ceiling_run = s->run;
    write_statements(*s, data->tg_relation, only);
    return s;
}

// How many rows this backend has inserted since it trimmed a key: a hint, so
// collisions just start over.
struct tally {
    int64 key;
    int64 inserts;
    int64 since_ceiling;
};
constexpr int tallies = 1024;
tally known[tallies];

enum class due { nothing, floor, ceiling };

due count_insert(settings const &s, int64 key) {
    tally &t = known[static_cast<uint64>(key) % tallies];
    if (t.key != key)
        t = {key, 0, 0};
    t.inserts++;
    t.since_ceiling++;
    if (t.since_ceiling >= s.ceiling_run) {
        t.inserts = t.since_ceiling = 0;
        return due::ceiling;
    }
    if (t.inserts < s.run)
        return due::nothing;
    t.inserts = 0;
    return due::floor;
}

int64 as_number(settings const &s, Datum value) {
    return s.order_type == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);
}

struct parameters {
    Datum values[max_key_columns + 2];
    char nulls[max_key_columns + 3];
};

parameters parameters_of(settings const &s, Relation table, HeapTuple row, bool *any_null) {
    parameters p{};
    *any_null = false;
    for (int i = 0; i < s.key.count; i++) {
        bool null = false;
        p.values[i] = heap_getattr(row, s.key.columns[i], RelationGetDescr(table), &null);
        *any_null |= null;
    }
    if (s.has_only)
        p.values[s.key.count] = s.only;
    memset(p.nulls, ' ', s.type_count + 1);
    return p;
}

// The value of the nth newest row; false where there are not so many.
bool nth_newest(settings &s, parameters &p, int64 n, int64 *out) {
    p.values[s.type_count] = Int64GetDatum(n - 1);
    if (trigger::run({s.nth_newest_sql, s.type_count + 1, s.types}, p.values, p.nulls) == 0)
        return false;
    bool null = false;
    Datum value = trigger::result(SPI_tuptable, 0, 1, s.order_type, &null);
    *out = as_number(s, value);
    return !null;
}

// Rows below this go.
int64 cutoff_of(settings &s, parameters &p, due what) {
    int64 floor = PG_INT64_MIN, ceiling = PG_INT64_MIN;
    if (s.by_age) {
        if (nth_newest(s, p, s.floor, &floor)) {
            int64 now_us = log_::clock::now_us(), ms = now_us / 1000 - s.ttl_ms;
            int64 expired = s.order_type == TIMESTAMPTZOID ? GetCurrentTimestamp() - s.ttl_ms * 1000
                            : ms > 0                       ? ms << 20
                                                           : 0;
            floor = expired < floor ? expired : floor;
        }
    }
    if (what == due::ceiling || !s.by_age) {
        if (!nth_newest(s, p, s.ceiling, &ceiling))
            ceiling = PG_INT64_MIN;
    }
    return floor > ceiling ? floor : ceiling;
}

void delete_rows(settings const &s, Oid table, Datum *rows, int count) {
    if (count == 0)
        return;
    Oid types[] = {OIDOID, TIDARRAYOID};
    Datum values[] = {
        ObjectIdGetDatum(table),
        PointerGetDatum(construct_array(rows, count, TIDOID, sizeof(ItemPointerData), false, TYPALIGN_SHORT))};
    trigger::run({s.delete_sql, 2, types}, values, "  ");
}

// The oldest rows that go; false where there are no more.
bool trim_some(settings &s, parameters &p, int64 cutoff) {
    p.values[s.type_count] = Int64GetDatum(rows_at_once);
    uint64 count = trigger::run({s.oldest_sql, s.type_count + 1, s.types}, p.values, p.nulls);
    SPITupleTable *found = SPI_tuptable;
    Datum *rows = pg::palloc_array_of<Datum>(count);
    int taken = 0;
    Oid table = InvalidOid;
    uint64 i = 0;
    for (; i < count; i++) {
        bool null = false;
        Datum value = trigger::result(found, i, 1, s.order_type, &null);
        if (null || as_number(s, value) >= cutoff)
            break;
        Oid in = DatumGetObjectId(trigger::result(found, i, 2, OIDOID, &null));
        if (in != table) {
            delete_rows(s, table, rows, taken);
            taken = 0;
            table = in;
        }
        rows[taken++] = trigger::result(found, i, 3, TIDOID, &null);
    }
    delete_rows(s, table, rows, taken);
    SPI_freetuptable(found);
    return i == rows_at_once;
}

} // namespace

WEIR_FUNCTION(weir_trim_to) {
    TriggerData *data = pg::trigger::data_of(fcinfo, function);
    pg::trigger::require_insert(data, function, pg::trigger::moment::after, "Only inserts make a table longer.");
    settings *s = pg::trigger::settings_of<take_settings>(fcinfo, data);

    int64 key = pg::trigger::hash_of_key(s->table, data->tg_relation, s->key, data->tg_trigtuple);
    due what = count_insert(*s, key);
    if (what == due::nothing || !pg::try_lock_key(pg::lock_class::trim_to, s->table, key))
        return Datum{0};
    bool any_null = false;
    parameters p = parameters_of(*s, data->tg_relation, data->tg_trigtuple, &any_null);
    if (any_null) // which is equal to nothing
        return Datum{0};
    pg::trigger::check_spi(SPI_connect(), "SPI_connect");
    if (int64 cutoff = cutoff_of(*s, p, what); cutoff > PG_INT64_MIN) {
        for (int round = 0; round < max_rounds && trim_some(*s, p, cutoff); round++)
            CHECK_FOR_INTERRUPTS();
    }
    pg::trigger::check_spi(SPI_finish(), "SPI_finish");
    return Datum{0};
}
