// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/glob.hpp"
#include "log/table.hpp"
#include "name/argument.hpp"
#include "outbox/owner.hpp"
#include "outbox/subscription.hpp"
#include "pg/lock.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"
#include "stream/names.hpp"

namespace weir::outbox {

namespace {

constinit log::source subscription_table{"subscription"};
constinit log::source subscription_index{"subscription_pkey"};

// Of the table in sql/outbox.sql.
enum { name_column = 1, id_column, streams_column, types_column, headers_column, hold_column, owner_column };

NullableDatum copied(HeapTuple row, int column, TupleDesc descriptor) {
    NullableDatum d{Datum{0}, false};
    d.value = heap_getattr(row, column, descriptor, &d.isnull);
    if (!d.isnull)
        d.value = PointerGetDatum(PG_DETOAST_DATUM_COPY(d.value));
    return d;
}

subscription read_row(HeapTuple row, Relation table) {
    TupleDesc descriptor = RelationGetDescr(table);
    bool null = false;
    subscription s{};
    s.id = log::integer_of(row, id_column, table);
    s.name = copied(row, name_column, descriptor).value;
    s.streams = copied(row, streams_column, descriptor).value;
    s.types = copied(row, types_column, descriptor);
    s.headers = copied(row, headers_column, descriptor);
    s.hold = DatumGetBool(heap_getattr(row, hold_column, descriptor, &null));
    s.owner = DatumGetObjectId(heap_getattr(row, owner_column, descriptor, &null));
    bool *nulls = nullptr;
    deconstruct_array(DatumGetArrayTypeP(s.streams), TEXTOID, -1, false, TYPALIGN_INT, &s.patterns, &nulls,
                      &s.pattern_count);
    return s;
}

int64 lock_key(std::string_view name) { return static_cast<int64>(pg::hash_of(name)); }

bool find_now(std::string_view name, subscription &out) {
    Snapshot snapshot = pg::take_snapshot();
    bool found = find_subscription(name, snapshot, out);
    UnregisterSnapshot(snapshot);
    return found;
}

struct collected {
    covered_streams list;
    int capacity;
    std::string_view pattern;
    MemoryContext memory;
};

void add_stream(collected &c, int64 stream_id, std::string_view name) {
    if (c.list.count == c.capacity) {
        c.capacity = c.capacity == 0 ? 8 : 2 * c.capacity;
        auto *more = static_cast<covered_stream *>(MemoryContextAlloc(c.memory, sizeof(covered_stream) * c.capacity));
        if (c.list.count > 0)
            memcpy(more, c.list.streams, sizeof(covered_stream) * c.list.count);
        c.list.streams = more;
    }
    MemoryContext before = MemoryContextSwitchTo(c.memory);
    c.list.streams[c.list.count++] = {stream_id, pg::to_text(name)};
    MemoryContextSwitchTo(before);
}

bool take_match(name::entry const &e, void *context) {
    auto &c = *static_cast<collected *>(context);
    if (core::glob_matches(c.pattern, e.name))
        add_stream(c, e.id, e.name);
    return true;
}

int by_id(void const *a, void const *b) {
    int64 x = static_cast<covered_stream const *>(a)->stream_id, y = static_cast<covered_stream const *>(b)->stream_id;
    return x < y ? -1 : x > y;
}

} // namespace

bool find_subscription(std::string_view name, Snapshot snapshot, subscription &out) {
    ScanKeyData key = pg::is_named(name_column, pg::to_text(name));
    Relation table = log::open_relation(subscription_table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(table, log::relation_oid(subscription_index), true, snapshot, 1, &key);
    HeapTuple row = systable_getnext(scan);
    bool found = HeapTupleIsValid(row);
    if (found)
        out = read_row(row, table);
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    return found;
}

std::string_view subscription_argument(FunctionCallInfo fcinfo, int n) {
    return name::name_argument(fcinfo, n, name::level::none, "name", "subscription name");
}

void lock_subscription(std::string_view name) { pg::lock(pg::lock_class::subscription, lock_key(name)); }

bool lock_own_subscription(std::string_view name) {
    if (pg::try_lock(pg::lock_class::subscription, lock_key(name)))
        return false;
    // Whom it does not belong to shall not stand in the queue before those who wait for it.
    if (subscription s; find_now(name, s))
        require_owner(s);
    lock_subscription(name);
    return true;
}

void raise_unknown(std::string_view name) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("subscription \"%.*s\" does not exist", pg::shown(name), name.data()),
                    errhint("Make it with weir.subscribe().")));
    pg_unreachable();
}

bool take_subscription(std::string_view name, subscription &out) {
    bool waited = lock_own_subscription(name);
    if (!find_now(name, out))
        raise_unknown(name);
    require_owner(out);
    return waited;
}

void for_each_subscription(Snapshot snapshot, void (*take)(subscription const &, void *context), void *context) {
    Relation table = log::open_relation(subscription_table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(table, log::relation_oid(subscription_index), true, snapshot, 0, nullptr);
    // A filter may have 64 kB, and there may be many.
    MemoryContext of_a_row = AllocSetContextCreate(CurrentMemoryContext, "weir subscription", ALLOCSET_DEFAULT_SIZES);
    while (HeapTuple row = systable_getnext(scan)) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext before = MemoryContextSwitchTo(of_a_row);
        take(read_row(row, table), context);
        MemoryContextSwitchTo(before);
        MemoryContextReset(of_a_row);
    }
    MemoryContextDelete(of_a_row);
    systable_endscan(scan);
    table_close(table, AccessShareLock);
}

stream::filter filter_of(subscription const &s) { return stream::make_filter(s.types, s.headers); }

covered_streams streams_of(subscription const &s, lost names, Snapshot snapshot) {
    collected c{{nullptr, 0}, 0, {}, CurrentMemoryContext};
    for (int i = 0; i < s.pattern_count; i++) {
        c.pattern = pg::view_of(s.patterns[i]);
        std::string_view literal = name::literal_part(c.pattern);
        if (core::is_glob(c.pattern)) {
            name::for_each_open({&stream::streams, s.owner, name::level::read, literal, {}}, snapshot, take_match, &c);
            continue;
        }
        if (names == lost::refuse)
            name::require(s.owner, name::level::read, literal);
        else if (!name::may(s.owner, name::level::read, literal))
            continue;
        if (int64 stream_id = stream::find(literal, snapshot))
            add_stream(c, stream_id, literal);
    }
    if (s.pattern_count > 1) { // which may overlap
        qsort(c.list.streams, c.list.count, sizeof(covered_stream), by_id);
        int kept = 0;
        for (int i = 0; i < c.list.count; i++) {
            if (kept == 0 || c.list.streams[kept - 1].stream_id != c.list.streams[i].stream_id)
                c.list.streams[kept++] = c.list.streams[i];
        }
        c.list.count = kept;
    }
    return c.list;
}

bool is_single(subscription const &s, std::string_view *name) {
    std::string_view pattern = pg::view_of(s.patterns[0]);
    if (s.pattern_count > 1 || core::is_glob(pattern))
        return false;
    *name = name::literal_part(pattern);
    return true;
}

bool covers(subscription const &s, std::string_view stream) {
    for (int i = 0; i < s.pattern_count; i++) {
        if (core::glob_matches(pg::view_of(s.patterns[i]), stream))
            return true;
    }
    return false;
}

} // namespace weir::outbox
