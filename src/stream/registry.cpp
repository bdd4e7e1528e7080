// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/life.hpp"
#include "log/lock.hpp"
#include "log/ready.hpp"
#include "log/table.hpp"
#include "pg/invalidation.hpp"
#include "pg/text.hpp"
#include "stream/registry.hpp"

namespace weir::stream {

namespace {

enum { name_column = 1, id_column, dropped_column };
constexpr int columns = dropped_column;

constinit log::source registry_table{"stream"};
constinit log::source name_index{"stream_name_idx"};
constinit log::source id_index{"stream_id_idx"};

// What this backend remembers: a direct-mapped table of committed names.
struct remembered {
    char *name;
    uint32 hash;
    uint32 length;
    int64 stream_id;
};
constexpr uint32 slots = 4096;
remembered *memory = nullptr;
remembered *memory_by_id = nullptr; // for those who go from ids to names; hash is not used
MemoryContext names = nullptr;

void forget_all() {
    if (names != nullptr)
        MemoryContextReset(names);
    memory = memory_by_id = nullptr;
}

bool forget_pending = false;
void forget_later() { forget_pending = true; }

remembered *slot_of(remembered *&table, uint32 hash) {
    if (forget_pending) {
        forget_all();
        forget_pending = false;
    }
    if (table == nullptr) {
        log::on_invalidate(forget_later);
        if (names == nullptr)
            names = AllocSetContextCreate(TopMemoryContext, "weir stream names", ALLOCSET_DEFAULT_SIZES);
        table = static_cast<remembered *>(MemoryContextAllocZero(names, sizeof(remembered) * slots));
    }
    return &table[hash & (slots - 1)];
}

void fill(remembered *slot, std::string_view name, uint32 hash, int64 stream_id) {
    if (slot->name != nullptr) {
        pfree(slot->name);
        slot->name = nullptr;
    }
    auto *copy = static_cast<char *>(MemoryContextAlloc(names, name.size()));
    memcpy(copy, name.data(), name.size());
    *slot = {copy, hash, static_cast<uint32>(name.size()), stream_id};
}

uint32 hash_of(std::string_view name) {
    return hash_bytes(reinterpret_cast<unsigned char const *>(name.data()), static_cast<int>(name.size()));
}

// before: pg::invalidations() from before the snapshot that showed the name.
void remember(std::string_view name, int64 stream_id, uint64 before) {
    uint32 hash = hash_of(name);
    remembered *slot = slot_of(memory, hash);
    if (pg::invalidations() == before)
        fill(slot, name, hash, stream_id);
}

int64 recall(std::string_view name, uint32 hash) {
    AcceptInvalidationMessages(); // the extension may have been dropped and made anew
    remembered *slot = slot_of(memory, hash);
    if (slot->name != nullptr && slot->hash == hash && slot->length == name.size() &&
        memcmp(slot->name, name.data(), name.size()) == 0)
        return slot->stream_id;
    return 0;
}

struct found {
    int64 stream_id = 0;
    TransactionId in_flight = InvalidTransactionId; // the other transaction that its row may roll back with
    bool settled = false;                           // its row is committed
};

// With the index opened before, so that under a lock nothing is opened.
found look_up(Relation registry, Relation index, std::string_view name, Snapshot snapshot) {
    found out;
    Datum name_text = pg::to_text(name);
    ScanKeyData key = pg::is_named(name_column, name_text);
    SysScanDesc scan = systable_beginscan_ordered(registry, index, snapshot, 1, &key);
    while (HeapTuple row = systable_getnext_ordered(scan, ForwardScanDirection)) {
        out.stream_id = log::integer_of(row, id_column, registry);
        out.in_flight = snapshot->snapshot_type == SNAPSHOT_DIRTY ? snapshot->xmin : InvalidTransactionId;
        out.settled = snapshot->snapshot_type == SNAPSHOT_MVCC &&
                      !TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data));
        if (!TransactionIdIsValid(out.in_flight))
            break;
    }
    systable_endscan_ordered(scan);
    pfree(DatumGetPointer(name_text));
    return out;
}

found look_up(Relation registry, std::string_view name, Snapshot snapshot) {
    Relation index = open_relation(name_index, AccessShareLock);
    found out = look_up(registry, index, name, snapshot);
    index_close(index, AccessShareLock);
    return out;
}

// Ready to be written to under a lock.
CatalogIndexState open_indexes(Relation registry) {
    CatalogIndexState indexes = CatalogOpenIndexes(registry);
    (void)GetCurrentTransactionId();
    log::until_ready([&] {
        for (int i = 0; i < indexes->ri_NumIndices; i++)
            log::make_index_ready(indexes->ri_IndexRelationDescs[i]);
        log::make_table_ready(registry);
    });
    return indexes;
}

HeapTuple make_row(Relation registry, std::string_view name, int64 stream_id, int64 dropped_at) {
    Datum values[columns];
    bool nulls[columns] = {};
    values[name_column - 1] = pg::to_text(name);
    values[id_column - 1] = Int64GetDatum(stream_id);
    values[dropped_column - 1] = Int64GetDatum(dropped_at);
    nulls[dropped_column - 1] = dropped_at < 0;
    return heap_form_tuple(RelationGetDescr(registry), values, nulls);
}

// Looks for a row of the name under the lock, whoever wrote it. Where there is
// none, a new id is entered; where it may still roll back, a row of our own goes
// beside it, if that is wanted.
enum class rival { join, report };

found look_up_or_make(Relation registry, std::string_view name, rival policy, bool *made) {
    int64 fresh = log::life::new_id();
    Relation by_name = open_relation(name_index, RowExclusiveLock);
    CatalogIndexState indexes = open_indexes(registry);
    SnapshotData dirty;
    InitDirtySnapshot(dirty);

    auto lock_key = static_cast<int64>(hash_of(name));
    log::lock(lock_key);
    found row = look_up(registry, by_name, name, &dirty);
    *made = row.stream_id == 0;
    if (*made)
        row.stream_id = fresh;
    if (*made || (TransactionIdIsValid(row.in_flight) && policy == rival::join))
        CatalogTupleInsertWithInfo(registry, make_row(registry, name, row.stream_id, -1), indexes);
    log::unlock(lock_key);

    CatalogCloseIndexes(indexes);
    index_close(by_name, NoLock);
    return row;
}

SysScanDesc begin_scan_by_id(Relation registry, int64 stream_id, Snapshot snapshot) {
    ScanKeyData key;
    ScanKeyInit(&key, id_column, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(stream_id));
    return systable_beginscan(registry, relation_oid(id_index), true, snapshot, 1, &key);
}

} // namespace

int64 look_up(std::string_view name, Snapshot snapshot) {
    Relation registry = open_relation(registry_table, AccessShareLock);
    found row = look_up(registry, name, snapshot);
    if (row.settled) {
        // Only what is so now is remembered: a purge that the snapshot does not see
        // yet may have told us to forget already.
        uint64 before = pg::invalidations();
        Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
        if (look_up(registry, name, latest).stream_id == row.stream_id)
            remember(name, row.stream_id, before);
        UnregisterSnapshot(latest);
    }
    table_close(registry, AccessShareLock);
    return row.stream_id;
}

int64 find(std::string_view name, Snapshot snapshot) {
    int64 known = recall(name, hash_of(name));
    return known != 0 ? known : look_up(name, snapshot);
}

known_stream look_up_or_create(std::string_view name) {
    Relation registry = open_relation(registry_table, RowExclusiveLock);
    uint64 before = pg::invalidations();
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    found row = look_up(registry, name, latest);
    UnregisterSnapshot(latest);
    if (row.settled)
        remember(name, row.stream_id, before);
    if (row.stream_id == 0) {
        bool made = false;
        row = look_up_or_make(registry, name, rival::join, &made);
    }
    table_close(registry, NoLock);
    return {row.stream_id, false};
}

known_stream find_or_create(std::string_view name) {
    if (int64 known = recall(name, hash_of(name)))
        return {known, true};
    return look_up_or_create(name);
}

int64 create(std::string_view name) {
    Relation registry = open_relation(registry_table, RowExclusiveLock);
    bool made = false;
    found row;
    for (;;) {
        row = look_up_or_make(registry, name, rival::report, &made);
        if (made || !TransactionIdIsValid(row.in_flight))
            break;
        XactLockTableWait(row.in_flight, nullptr, nullptr, XLTW_None);
    }
    table_close(registry, NoLock);
    return made ? row.stream_id : 0;
}

bool is_in_flight(int64 stream_id) {
    Relation registry = open_relation(registry_table, AccessShareLock);
    SnapshotData dirty;
    InitDirtySnapshot(dirty);
    bool found_one = false;
    SysScanDesc scan = begin_scan_by_id(registry, stream_id, &dirty);
    while (HeapTupleIsValid(systable_getnext(scan)))
        found_one |= TransactionIdIsValid(dirty.xmin);
    systable_endscan(scan);
    table_close(registry, AccessShareLock);
    return found_one;
}

bool is_at_odds(std::string_view name, int64 stream_id) {
    Relation registry = table_open(relation_oid(registry_table), AccessShareLock);
    int64 known = look_up(registry, name, SnapshotSelf).stream_id;
    bool differs = known != 0 && known != stream_id;
    SysScanDesc scan = begin_scan_by_id(registry, stream_id, SnapshotSelf);
    while (HeapTuple row = systable_getnext(scan)) {
        bool null = false;
        differs |= pg::view_of(heap_getattr(row, name_column, RelationGetDescr(registry), &null)) != name;
    }
    systable_endscan(scan);
    table_close(registry, AccessShareLock);
    return differs;
}

void tell_others_to_forget() { CacheInvalidateRelcacheByRelid(relation_oid(registry_table)); }

void replace(std::string_view name, int64 stream_id, int64 dropped_at) {
    Relation registry = open_relation(registry_table, RowExclusiveLock);
    CatalogIndexState indexes = open_indexes(registry);
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot()); // does not see the row that follows
    // Under the name's lock, so that whoever looks meets either row: the new one, or
    // the old one not yet deleted for good.
    auto lock_key = static_cast<int64>(hash_of(name));
    log::lock(lock_key);
    CatalogTupleInsertWithInfo(registry, make_row(registry, name, stream_id, dropped_at), indexes);
    log::unlock(lock_key);
    CatalogCloseIndexes(indexes);

    SysScanDesc scan = begin_scan_by_id(registry, stream_id, latest);
    while (HeapTuple row = systable_getnext(scan))
        CatalogTupleDelete(registry, &row->t_self);
    systable_endscan(scan);
    UnregisterSnapshot(latest);
    table_close(registry, NoLock);
}

bool is_there() { return log::exists(registry_table); }

std::string_view name_of(int64 stream_id, Snapshot snapshot) {
    auto hash = static_cast<uint32>(stream_id);
    AcceptInvalidationMessages();
    remembered *slot = slot_of(memory_by_id, hash);
    if (slot->name != nullptr && slot->stream_id == stream_id)
        return {slot->name, slot->length};
    uint64 before = pg::invalidations();
    Relation registry = open_relation(registry_table, AccessShareLock);
    SysScanDesc scan = begin_scan_by_id(registry, stream_id, snapshot);
    std::string_view name;
    if (HeapTuple row = systable_getnext(scan)) {
        bool null = false;
        text *copy = DatumGetTextPCopy(heap_getattr(row, name_column, RelationGetDescr(registry), &null));
        name = {VARDATA(copy), VARSIZE(copy) - VARHDRSZ};
    }
    systable_endscan(scan);
    table_close(registry, AccessShareLock);
    // An id is never given to another name: whatever snapshot shows it, it is true as
    // long as this is the same extension.
    slot = slot_of(memory_by_id, hash);
    if (!name.empty() && pg::invalidations() == before)
        fill(slot, name, hash, stream_id);
    return name;
}

void for_each(Snapshot snapshot, void (*take)(int64 stream_id, std::string_view name, void *context), void *context) {
    Relation registry = open_relation(registry_table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(registry, relation_oid(id_index), true, snapshot, 0, nullptr);
    int64 last = 0;
    while (HeapTuple row = systable_getnext(scan)) {
        CHECK_FOR_INTERRUPTS();
        bool null = false;
        int64 stream_id = log::integer_of(row, id_column, registry);
        if (stream_id == last) // created twice at once, or dropped and made anew
            continue;
        last = stream_id;
        text *name = DatumGetTextPP(heap_getattr(row, name_column, RelationGetDescr(registry), &null));
        take(stream_id, {VARDATA_ANY(name), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(name))}, context);
    }
    systable_endscan(scan);
    table_close(registry, AccessShareLock);
}

int64 next_stream(int64 after) {
    ScanKeyData key;
    ScanKeyInit(&key, id_column, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(after));
    Relation registry = open_relation(registry_table, AccessShareLock);
    Relation index = open_relation(id_index, AccessShareLock);
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    SysScanDesc scan = systable_beginscan_ordered(registry, index, latest, 1, &key);
    HeapTuple row = systable_getnext_ordered(scan, ForwardScanDirection);
    int64 next = HeapTupleIsValid(row) ? log::integer_of(row, id_column, registry) : -1;
    systable_endscan_ordered(scan);
    UnregisterSnapshot(latest);
    index_close(index, AccessShareLock);
    table_close(registry, AccessShareLock);
    return next;
}

void for_each_with_prefix(std::string_view prefix, std::string_view after, Snapshot snapshot,
                          bool (*take)(int64 stream_id, std::string_view name, void *context), void *context) {
    bool on_page = after >= prefix; // and not the first one
    Datum from = pg::to_text(on_page ? after : prefix);
    ScanKeyData key;
    ScanKeyEntryInitialize(&key, 0, name_column, on_page ? BTGreaterStrategyNumber : BTGreaterEqualStrategyNumber,
                           InvalidOid, C_COLLATION_OID, on_page ? F_TEXT_GT : F_TEXT_GE, from);
    Relation registry = open_relation(registry_table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(registry, relation_oid(name_index), true, snapshot, 1, &key);
    int64 last = 0;
    while (HeapTuple row = systable_getnext(scan)) {
        CHECK_FOR_INTERRUPTS();
        bool null = false;
        text *found = DatumGetTextPP(heap_getattr(row, name_column, RelationGetDescr(registry), &null));
        std::string_view name{VARDATA_ANY(found), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(found))};
        if (name.substr(0, prefix.size()) != prefix)
            break;
        int64 stream_id = log::integer_of(row, id_column, registry);
        if (stream_id != last && !take(stream_id, name, context))
            break;
        last = stream_id;
    }
    systable_endscan(scan);
    table_close(registry, AccessShareLock);
    pfree(DatumGetPointer(from));
}

bool is_entered_as_dropped(int64 stream_id, Snapshot snapshot) {
    Relation registry = open_relation(registry_table, AccessShareLock);
    SysScanDesc scan = begin_scan_by_id(registry, stream_id, snapshot);
    bool dropped = false;
    while (HeapTuple row = systable_getnext(scan)) {
        bool null = false;
        (void)heap_getattr(row, dropped_column, RelationGetDescr(registry), &null);
        dropped |= !null;
    }
    systable_endscan(scan);
    table_close(registry, AccessShareLock);
    return dropped;
}

} // namespace weir::stream
