// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/life.hpp"
#include "log/lock.hpp"
#include "log/ready.hpp"
#include "log/table.hpp"
#include "name/memory.hpp"
#include "name/access.hpp"
#include "name/registry.hpp"
#include "pg/invalidation.hpp"
#include "pg/text.hpp"

namespace weir::name {

namespace {

enum { name_column = 1, id_column, kind_column, dropped_column };
constexpr int columns = dropped_column;

constinit log::source registry_table{"registry"};
constinit log::source name_index{"registry_name_idx"};
constinit log::source id_index{"registry_id_idx"};

char kind_of(HeapTuple row, Relation registry) {
    bool null = false;
    return DatumGetChar(heap_getattr(row, kind_column, RelationGetDescr(registry), &null));
}

struct found {
    int64 id = 0;
    char kind = 0;
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
        out.id = log::integer_of(row, id_column, registry);
        out.kind = kind_of(row, registry);
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

HeapTuple make_row(Relation registry, kind const &of, std::string_view name, int64 id, int64 dropped_at) {
    Datum values[columns];
    bool nulls[columns] = {};
    values[name_column - 1] = pg::to_text(name);
    values[id_column - 1] = Int64GetDatum(id);
    values[kind_column - 1] = CharGetDatum(of.code);
    values[dropped_column - 1] = Int64GetDatum(dropped_at);
    nulls[dropped_column - 1] = dropped_at < 0;
    return heap_form_tuple(RelationGetDescr(registry), values, nulls);
}

// Looks for a row of the name under the lock, whoever wrote it. Where there is
// none, a new id is entered; where it may still roll back, a row of our own goes
// beside it, if that is wanted.
enum class rival { join, report };

found look_up_or_make(Relation registry, kind const &of, std::string_view name, rival policy, bool *made) {
    int64 fresh = log::life::new_id();
    Relation by_name = open_relation(name_index, RowExclusiveLock);
    CatalogIndexState indexes = open_indexes(registry);
    SnapshotData dirty;
    InitDirtySnapshot(dirty);

    auto lock_key = static_cast<int64>(hash_of(name));
    log::lock(lock_key);
    found row = look_up(registry, by_name, name, &dirty);
    *made = row.id == 0;
    if (*made) {
        row.id = fresh;
        row.kind = of.code;
    }
    bool joins = TransactionIdIsValid(row.in_flight) && policy == rival::join && row.kind == of.code;
    if (*made || joins)
        CatalogTupleInsertWithInfo(registry, make_row(registry, of, name, row.id, -1), indexes);
    log::unlock(lock_key);

    CatalogCloseIndexes(indexes);
    index_close(by_name, NoLock);
    return row;
}

// The same, until it is decided: what another transaction is making of the name is waited for where that is of another
// kind, or where it has to be known.
found enter(Relation registry, kind const &of, std::string_view name, rival policy, bool *made) {
    for (;;) {
        found row = look_up_or_make(registry, of, name, policy, made);
        if (*made || (policy == rival::join && row.kind == of.code))
            return row;
        if (!TransactionIdIsValid(row.in_flight)) {
            require_kind(name, row.kind, of);
            return row;
        }
        XactLockTableWait(row.in_flight, nullptr, nullptr, XLTW_None);
    }
}

SysScanDesc begin_scan_by_id(Relation registry, int64 id, Snapshot snapshot) {
    ScanKeyData key;
    ScanKeyInit(&key, id_column, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
    return systable_beginscan(registry, relation_oid(id_index), true, snapshot, 1, &key);
}

// False: take wants no more.
bool walk_prefix(Relation registry, selection const &which, std::string_view prefix, Snapshot snapshot,
                 bool (*take)(entry const &, void *), void *context) {
    bool on_page = which.after >= prefix; // and not the first one
    if (on_page && which.after.substr(0, prefix.size()) != prefix)
        return true; // it is behind
    Datum from = pg::to_text(on_page ? which.after : prefix);
    ScanKeyData key;
    ScanKeyEntryInitialize(&key, 0, name_column, on_page ? BTGreaterStrategyNumber : BTGreaterEqualStrategyNumber,
                           InvalidOid, C_COLLATION_OID, on_page ? F_TEXT_GT : F_TEXT_GE, from);
    SysScanDesc scan = systable_beginscan(registry, relation_oid(name_index), true, snapshot, 1, &key);
    int64 last = 0;
    bool goes_on = true;
    while (goes_on) {
        CHECK_FOR_INTERRUPTS();
        HeapTuple row = systable_getnext(scan);
        if (!HeapTupleIsValid(row))
            break;
        bool null = false;
        text *found = DatumGetTextPP(heap_getattr(row, name_column, RelationGetDescr(registry), &null));
        entry e{log::integer_of(row, id_column, registry),
                kind_of(row, registry),
                {VARDATA_ANY(found), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(found))}};
        if (e.name.substr(0, prefix.size()) != prefix)
            break;
        if (e.id == last || (which.of != nullptr && e.kind != which.of->code))
            continue;
        last = e.id;
        goes_on = !may(which.role, which.wanted, e.name) || take(e, context);
    }
    systable_endscan(scan);
    pfree(DatumGetPointer(from));
    return goes_on;
}

} // namespace

int64 look_up(kind const &of, std::string_view name, Snapshot snapshot) {
    Relation registry = open_relation(registry_table, AccessShareLock);
    found row = look_up(registry, name, snapshot);
    if (row.settled) {
        // Only what is so now is remembered: a purge that the snapshot does not see
        // yet may have told us to forget already.
        uint64 before = pg::invalidations();
        Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
        if (look_up(registry, name, latest).id == row.id)
            remember(name, row.id, row.kind, before);
        UnregisterSnapshot(latest);
    }
    table_close(registry, AccessShareLock);
    if (row.id != 0)
        require_kind(name, row.kind, of);
    return row.id;
}

int64 find(kind const &of, std::string_view name, Snapshot snapshot) {
    if (remembered const *r = recall(name)) {
        require_kind(name, r->kind, of);
        return r->id;
    }
    return look_up(of, name, snapshot);
}

char kind_of(std::string_view name, Snapshot snapshot) {
    if (remembered const *r = recall(name))
        return r->kind;
    Relation registry = open_relation(registry_table, AccessShareLock);
    found row = look_up(registry, name, snapshot);
    table_close(registry, AccessShareLock);
    return row.id == 0 ? '\0' : row.kind;
}

known look_up_or_create(kind const &of, std::string_view name) {
    Relation registry = open_relation(registry_table, RowExclusiveLock);
    uint64 before = pg::invalidations();
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    found row = look_up(registry, name, latest);
    UnregisterSnapshot(latest);
    if (row.settled)
        remember(name, row.id, row.kind, before);
    if (row.id != 0) {
        require_kind(name, row.kind, of);
    } else {
        bool made = false;
        row = enter(registry, of, name, rival::join, &made);
    }
    table_close(registry, NoLock);
    return {row.id, false};
}

known find_or_create(kind const &of, std::string_view name) {
    if (remembered const *r = recall(name)) {
        require_kind(name, r->kind, of);
        return {r->id, true};
    }
    return look_up_or_create(of, name);
}

int64 create(kind const &of, std::string_view name) {
    Relation registry = open_relation(registry_table, RowExclusiveLock);
    bool made = false;
    found row = enter(registry, of, name, rival::report, &made);
    table_close(registry, NoLock);
    return made ? row.id : 0;
}

bool is_in_flight(int64 id) {
    Relation registry = open_relation(registry_table, AccessShareLock);
    SnapshotData dirty;
    InitDirtySnapshot(dirty);
    bool found_one = false;
    SysScanDesc scan = begin_scan_by_id(registry, id, &dirty);
    while (HeapTupleIsValid(systable_getnext(scan)))
        found_one |= TransactionIdIsValid(dirty.xmin);
    systable_endscan(scan);
    table_close(registry, AccessShareLock);
    return found_one;
}

bool is_at_odds(std::string_view name, int64 id) {
    Relation registry = open_relation(registry_table, AccessShareLock);
    int64 known = look_up(registry, name, SnapshotSelf).id;
    bool differs = known != 0 && known != id;
    SysScanDesc scan = begin_scan_by_id(registry, id, SnapshotSelf);
    while (HeapTuple row = systable_getnext(scan)) {
        bool null = false;
        differs |= pg::view_of(heap_getattr(row, name_column, RelationGetDescr(registry), &null)) != name;
    }
    systable_endscan(scan);
    table_close(registry, AccessShareLock);
    return differs;
}

void tell_others_to_forget() { CacheInvalidateRelcacheByRelid(relation_oid(registry_table)); }

namespace {

// Under the name's lock, so that whoever looks meets either row: the new one, or
// the old one not yet deleted for good.
void insert_row(Relation registry, kind const &of, std::string_view name, int64 id, int64 dropped_at) {
    CatalogIndexState indexes = open_indexes(registry);
    HeapTuple row = make_row(registry, of, name, id, dropped_at);
    auto lock_key = static_cast<int64>(hash_of(name));
    log::lock(lock_key);
    CatalogTupleInsertWithInfo(registry, row, indexes);
    log::unlock(lock_key);
    CatalogCloseIndexes(indexes);
}

void delete_rows(Relation registry, int64 id, Snapshot snapshot) {
    SysScanDesc scan = begin_scan_by_id(registry, id, snapshot);
    while (HeapTuple row = systable_getnext(scan))
        CatalogTupleDelete(registry, &row->t_self);
    systable_endscan(scan);
}

// Another transaction that may yet commit a row with this id.
TransactionId rival_of(Relation registry, int64 id) {
    SnapshotData dirty;
    InitDirtySnapshot(dirty);
    TransactionId rival = InvalidTransactionId;
    SysScanDesc scan = begin_scan_by_id(registry, id, &dirty);
    while (HeapTupleIsValid(systable_getnext(scan))) {
        if (TransactionIdIsValid(dirty.xmin))
            rival = dirty.xmin;
    }
    systable_endscan(scan);
    return rival;
}

} // namespace

void replace(kind const &of, std::string_view name, int64 id, int64 dropped_at) {
    Relation registry = open_relation(registry_table, RowExclusiveLock);
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot()); // does not see the row that follows
    insert_row(registry, of, name, id, dropped_at);
    delete_rows(registry, id, latest);
    UnregisterSnapshot(latest);
    table_close(registry, NoLock);
}

void succeed(kind const &of, kind const &old_kind, succession const &s) {
    Relation registry = open_relation(registry_table, RowExclusiveLock);
    // Its row would give the name two ids. It joined those that are here, so there are no more to come.
    for (TransactionId rival = rival_of(registry, s.old_id); TransactionIdIsValid(rival);
         rival = rival_of(registry, s.old_id))
        XactLockTableWait(rival, nullptr, nullptr, XLTW_None);
    CommandCounterIncrement(); // the name may be this statement's own
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    insert_row(registry, of, s.name, s.new_id, s.dropped_at);
    insert_row(registry, old_kind, s.old_name, s.old_id, -1);
    delete_rows(registry, s.old_id, latest);
    UnregisterSnapshot(latest);
    table_close(registry, NoLock);
    tell_others_to_forget();
    CommandCounterIncrement(); // the rest of this statement finds the new one
}

entry entered(int64 id, Snapshot snapshot) {
    entry e{id, 0, {}};
    Relation registry = open_relation(registry_table, AccessShareLock);
    SysScanDesc scan = begin_scan_by_id(registry, id, snapshot);
    if (HeapTuple row = systable_getnext(scan)) {
        bool null = false;
        text *copy = DatumGetTextPCopy(heap_getattr(row, name_column, RelationGetDescr(registry), &null));
        e.name = {VARDATA(copy), VARSIZE(copy) - VARHDRSZ};
        e.kind = kind_of(row, registry);
    }
    systable_endscan(scan);
    table_close(registry, AccessShareLock);
    return e;
}

bool is_there() { return log::exists(registry_table); }

std::string_view name_of(int64 id, Snapshot snapshot) {
    if (remembered const *r = recall(id))
        return {r->name, r->length};
    uint64 before = pg::invalidations();
    Relation registry = open_relation(registry_table, AccessShareLock);
    SysScanDesc scan = begin_scan_by_id(registry, id, snapshot);
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
    if (!name.empty())
        remember_id(name, id, before);
    return name;
}

void for_each(Snapshot snapshot, void (*take)(entry const &, void *context), void *context) {
    Relation registry = open_relation(registry_table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(registry, relation_oid(id_index), true, snapshot, 0, nullptr);
    int64 last = 0;
    while (HeapTuple row = systable_getnext(scan)) {
        CHECK_FOR_INTERRUPTS();
        bool null = false;
        int64 id = log::integer_of(row, id_column, registry);
        if (id == last) // created twice at once, or dropped and made anew
            continue;
        last = id;
        text *name = DatumGetTextPP(heap_getattr(row, name_column, RelationGetDescr(registry), &null));
        take({id, kind_of(row, registry), pg::view_of(PointerGetDatum(name))}, context);
    }
    systable_endscan(scan);
    table_close(registry, AccessShareLock);
}

int64 next(kind const &of, int64 after) {
    ScanKeyData key;
    ScanKeyInit(&key, id_column, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(after));
    Relation registry = open_relation(registry_table, AccessShareLock);
    Relation index = open_relation(id_index, AccessShareLock);
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    SysScanDesc scan = systable_beginscan_ordered(registry, index, latest, 1, &key);
    HeapTuple row = systable_getnext_ordered(scan, ForwardScanDirection);
    while (HeapTupleIsValid(row) && kind_of(row, registry) != of.code) {
        CHECK_FOR_INTERRUPTS();
        row = systable_getnext_ordered(scan, ForwardScanDirection);
    }
    int64 next = HeapTupleIsValid(row) ? log::integer_of(row, id_column, registry) : -1;
    systable_endscan_ordered(scan);
    UnregisterSnapshot(latest);
    index_close(index, AccessShareLock);
    table_close(registry, AccessShareLock);
    return next;
}

void for_each_open(selection const &which, Snapshot snapshot, bool (*take)(entry const &, void *), void *context) {
    Relation registry = open_relation(registry_table, AccessShareLock);
    prefixes open = open_prefixes(which.role, which.wanted, which.prefix);
    bool goes_on = true;
    for (int i = 0; i < open.count && goes_on; i++)
        goes_on = walk_prefix(registry, which, open.of[i], snapshot, take, context);
    table_close(registry, AccessShareLock);
}

bool is_entered_as_dropped(int64 id, Snapshot snapshot) {
    Relation registry = open_relation(registry_table, AccessShareLock);
    SysScanDesc scan = begin_scan_by_id(registry, id, snapshot);
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

} // namespace weir::name
