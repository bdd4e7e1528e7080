// SPDX-License-Identifier: PostgreSQL
//
// Where what is known of lives is kept:
//
//   weir.life         logged, dumped    every life, with where it was begun
//   weir.incarnation  unlogged          the number of the life under way; emptied by a crash and a promotion
//   weir.clock        logged, dumped    with the bound of positions, twenty bits of where it was set
//
// The last is for a dump taken before anything was minted: it has no rows of weir.life.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "log/life.hpp"
#include "log/table.hpp"
#include "pg/invalidation.hpp"
#include "pg/lock.hpp"
#include "pg/owner.hpp"
#include "pg/sequence.hpp"

namespace weir::log::life {

namespace {

constinit source life_table{"life"};
constinit source clock_sequence{"clock"};
constinit source incarnation_sequence{"incarnation"};
constinit source id_sequence{"id_seq"};

// Of the table in sql/log.sql.
enum {
    number_column = 1,
    cause_column,
    floor_column,
    began_column,
    timeline_column,
    system_column,
    database_column,
    clock_column,
    ids_column
};
constexpr int columns = ids_column;

constexpr int id_bits = 32; // ids of one life; those above are drawn

struct row {
    int64 number;
    int64 floor;
    int64 timeline;
    int64 system;
    int64 ids;
    Oid database;
    Oid clock;
    cause why;
};

struct history {
    row *rows; // by their numbers
    int count;
};

row read_row(HeapTuple tuple, Relation table) {
    bool null = false;
    row r{};
    r.number = integer_of(tuple, number_column, table);
    r.floor = integer_of(tuple, floor_column, table);
    r.timeline = integer_of(tuple, timeline_column, table);
    r.system = integer_of(tuple, system_column, table);
    r.ids = integer_of(tuple, ids_column, table);
    r.database = DatumGetObjectId(heap_getattr(tuple, database_column, RelationGetDescr(table), &null));
    r.clock = DatumGetObjectId(heap_getattr(tuple, clock_column, RelationGetDescr(table), &null));
    r.why = static_cast<cause>(DatumGetChar(heap_getattr(tuple, cause_column, RelationGetDescr(table), &null)));
    return r;
}

int by_number(void const *a, void const *b) {
    int64 x = static_cast<row const *>(a)->number, y = static_cast<row const *>(b)->number;
    return x < y ? -1 : x > y;
}

// Not by an MVCC snapshot: serializable transactions do not depend on one another by it.
history read_history(MemoryContext memory) {
    history h{nullptr, 0};
    int room = 0;
    Relation table = open_relation(life_table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, SnapshotSelf, 0, nullptr);
    while (HeapTuple tuple = systable_getnext(scan)) {
        if (h.count == room) {
            room = room == 0 ? 16 : 2 * room;
            auto *more = static_cast<row *>(MemoryContextAlloc(memory, sizeof(row) * static_cast<Size>(room)));
            if (h.count > 0)
                memcpy(more, h.rows, sizeof(row) * static_cast<Size>(h.count));
            h.rows = more;
        }
        h.rows[h.count++] = read_row(tuple, table);
    }
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    if (h.count > 1)
        qsort(h.rows, static_cast<size_t>(h.count), sizeof(row), by_number);
    return h;
}

// Where this server stands, and how the life that its tables tell of goes on there.
struct standing {
    int64 system;
    int64 timeline;
    int64 bound_ms; // of weir.clock
    int64 incarnation;
    bool clock_is_ours;
};

int64 place_of_clock(int64 system) {
    return (system ^ static_cast<int64>(MyDatabaseId) ^ static_cast<int64>(relation_oid(clock_sequence))) &
           core::max_seq;
}

standing stand() {
    Oid clock = locked_oid(clock_sequence, AccessShareLock);
    Oid incarnation = locked_oid(incarnation_sequence, AccessShareLock);
    pg::owner_scope owner = pg::become_owner(clock);
    int64 packed = pg::read_sequence(clock);
    standing s{static_cast<int64>(GetSystemIdentifier()), static_cast<int64>(GetWALInsertionTimeLine()),
               core::ms_of(packed), pg::read_sequence(incarnation), false};
    s.clock_is_ours = core::seq_of(packed) == place_of_clock(s.system);
    pg::become_caller(owner);
    return s;
}

bool is_here(row const &r) { return r.database == MyDatabaseId && r.clock == relation_oid(clock_sequence); }

// False: the last row's life is the one under way. Else why another one begins.
bool has_ended(history const &h, standing const &s, cause &why) {
    if (h.count == 0) {
        why = s.clock_is_ours ? cause::first : cause::restore;
        return true;
    }
    row const &last = h.rows[h.count - 1];
    bool remembered = s.incarnation == last.number;
    if (is_here(last) && last.system == s.system && s.clock_is_ours) {
        why = last.timeline != s.timeline ? cause::promotion : cause::crash;
        return !remembered || last.timeline != s.timeline;
    }
    why = is_here(last) && last.system != s.system && remembered ? cause::upgrade : cause::restore;
    return true;
}

bool loses_rows(cause why) { return why == cause::promotion || why == cause::restore; }

// By its own clock a new server may lie behind the old one; so whatever came over from
// that one, and says what time it was there, counts as well.
int64 floor_of(cause why, history const &h, standing const &s) {
    int64 ms = s.bound_ms;
    if (h.count > 0 && core::ms_of(h.rows[h.count - 1].floor) > ms) // of a life that minted nothing
        ms = core::ms_of(h.rows[h.count - 1].floor);
    if (loses_rows(why)) {
        int64 now_ms = clock::now_us() / 1000, replayed_ms = clock::to_unix_us(GetLatestXTime()) / 1000;
        if (now_ms > ms && now_ms <= core::max_ms)
            ms = now_ms;
        if (why == cause::promotion && replayed_ms > ms && replayed_ms <= core::max_ms)
            ms = replayed_ms;
    }
    return why == cause::first || ms == 0 ? -1 : core::make(ms, core::max_seq);
}

// So that ids of two histories of one database do not meet, nor those of two databases.
int64 draw_ids(history const &h) {
    for (;;) {
        uint32 drawn = 0;
        if (!pg_strong_random(&drawn, sizeof drawn))
            ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
        int64 ids = static_cast<int64>(drawn >> 1) << id_bits;
        bool taken = ids == 0;
        for (int i = 0; i < h.count; i++)
            taken |= h.rows[i].ids >> id_bits == ids >> id_bits;
        if (!taken)
            return ids;
    }
}

void write_row(row const &r) {
    Datum values[columns];
    bool nulls[columns] = {};
    values[number_column - 1] = Int64GetDatum(r.number);
    values[cause_column - 1] = CharGetDatum(static_cast<char>(r.why));
    values[floor_column - 1] = Int64GetDatum(r.floor < 0 ? core::least : r.floor);
    values[began_column - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
    values[timeline_column - 1] = Int64GetDatum(r.timeline);
    values[system_column - 1] = Int64GetDatum(r.system);
    values[database_column - 1] = ObjectIdGetDatum(r.database);
    values[clock_column - 1] = ObjectIdGetDatum(r.clock);
    values[ids_column - 1] = Int64GetDatum(r.ids);

    Relation table = open_relation(life_table, RowExclusiveLock);
    CatalogIndexState indexes = CatalogOpenIndexes(table);
    HeapTuple tuple = heap_form_tuple(RelationGetDescr(table), values, nulls);
    heap_insert(table, tuple, GetCurrentCommandId(true), HEAP_INSERT_FROZEN, nullptr);
    for (int i = 0; i < indexes->ri_NumIndices; i++)
        index_insert(indexes->ri_IndexRelationDescs[i], values, nulls, &tuple->t_self, table, UNIQUE_CHECK_NO, false,
                     indexes->ri_IndexRelationInfo[i]); // the primary key alone, on the first column
    CatalogCloseIndexes(indexes);
    table_close(table, NoLock);
}

// Under the lock. The incarnation comes last: whoever crashes before that begins yet
// another life.
row begin(history const &h, standing const &s, cause why) {
    row r{};
    r.number = h.count == 0 ? 1 : h.rows[h.count - 1].number + 1;
    r.floor = floor_of(why, h, s);
    r.timeline = s.timeline;
    r.system = s.system;
    r.database = MyDatabaseId;
    r.clock = relation_oid(clock_sequence);
    r.why = why;
    r.ids = draw_ids(h);

    Oid clock = locked_oid(clock_sequence, RowExclusiveLock);
    Oid incarnation = locked_oid(incarnation_sequence, RowExclusiveLock);
    Oid ids = locked_oid(id_sequence, RowExclusiveLock);
    pg::owner_scope owner = pg::become_owner(clock);
    (void)GetCurrentTransactionId();
    XLogRecPtr before_us = XactLastRecEnd;
    pg::write_sequence(ids, r.ids);
    pg::write_sequence(clock, core::make(s.bound_ms, place_of_clock(s.system)));
    write_row(r);
    XLogFlush(XactLastRecEnd);
    XactLastRecEnd = before_us; // it is on disk, and a best-effort append is not to wait for a standby to have it
    pg::write_sequence(incarnation, r.number);
    pg::become_caller(owner);
    return r;
}

void add(life &l, row const &r) {
    l.number = r.number;
    l.floor = r.floor <= core::least ? -1 : r.floor;
    if (r.why != cause::crash && r.why != cause::upgrade) {
        l.line = r.number;
        l.why = r.why;
    }
}

// What a backend remembers of the life under way; number 0: nothing.
life known{};
void forget() { known.number = 0; }

// And of those that are over, for readers.
struct floor_of_life {
    int64 floor;
    bool best_effort_only;
};
floor_of_life *floors = nullptr;
int floor_count = 0;
bool floors_are_known = false;
void forget_floors() { floors_are_known = false; }

// The floors of all lives, and of one that has to come. False where that may change
// without our being told of it: on a standby, and until the first mint of a life
// whose floor is not known before.
bool find_floors(history const &h) {
    floor_count = 0;
    if (floors != nullptr)
        pfree(floors);
    floors = nullptr;
    floors = static_cast<floor_of_life *>(
        MemoryContextAlloc(TopMemoryContext, sizeof(floor_of_life) * static_cast<Size>(h.count + 1)));
    for (int i = 0; i < h.count; i++)
        floors[floor_count++] = {h.rows[i].floor, !loses_rows(h.rows[i].why)};
    if (RecoveryInProgress())
        return false;
    standing s = stand();
    cause why{};
    if (!has_ended(h, s, why) || why == cause::first)
        return true;
    bool loses = loses_rows(why);
    floors[floor_count++] = {loses ? core::greatest : floor_of(why, h, s), !loses};
    return !loses;
}

} // namespace

life current() {
    if (known.number != 0)
        return known;
    on_invalidate(forget);
    uint64 before = pg::invalidations();
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "weir lives", ALLOCSET_SMALL_SIZES);
    pg::lock(pg::lock_class::clock, 0);
    history h = read_history(memory);
    standing s = stand();
    life l{};
    for (int i = 0; i < h.count; i++)
        add(l, h.rows[i]);
    if (cause why{}; has_ended(h, s, why))
        add(l, begin(h, s, why));
    pg::unlock(pg::lock_class::clock, 0);
    MemoryContextDelete(memory);
    if (pg::invalidations() == before)
        known = l;
    return l;
}

int64 new_id() {
    (void)current();
    return nextval_internal(locked_oid(id_sequence, RowExclusiveLock), false);
}

ending ending_of(int64 position) {
    if (!floors_are_known) {
        on_invalidate(forget_floors);
        uint64 before = pg::invalidations();
        MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "weir lives", ALLOCSET_SMALL_SIZES);
        bool will_stay = find_floors(read_history(memory));
        MemoryContextDelete(memory);
        floors_are_known = will_stay && pg::invalidations() == before;
    }
    ending e{};
    for (int i = floor_count - 1; i >= 0 && position <= floors[i].floor; i--)
        e = {true, floors[i].floor, floors[i].best_effort_only};
    return e;
}

bool is_used() {
    if (RecoveryInProgress())
        return true;
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "weir lives", ALLOCSET_SMALL_SIZES);
    history h = read_history(memory);
    standing s = stand();
    bool used = s.incarnation != 0;
    for (int i = 0; i < h.count; i++)
        used |= is_here(h.rows[i]) && h.rows[i].system == s.system;
    MemoryContextDelete(memory);
    return used;
}

} // namespace weir::log::life
