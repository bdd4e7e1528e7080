// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/table.hpp"
#include "pg/invalidation.hpp"

namespace weir::log {

namespace {

source *in_use = nullptr;
constexpr int max_tries = 10;
constexpr int max_listeners = 8;
void (*listeners[max_listeners])() = {};
int listener_count = 0;
bool registered = false;

void forget(source &s) {
    s.heap = s.index = InvalidOid;
    s.detailed = false; // info and seek stay readable for a call that is under way
}

// May run in the middle of anything: flips state, looks nothing up, frees nothing.
void invalidated(Datum, Oid relid) {
    bool any = false;
    for (source *s = in_use; s != nullptr; s = s->next) {
        if (relid == InvalidOid || relid == s->heap || relid == s->index) {
            forget(*s);
            any = true;
        }
    }
    for (int i = 0; any && i < listener_count; i++)
        listeners[i]();
}

void use(source &s) {
    if (!registered) {
        CacheRegisterRelcacheCallback(invalidated, 0);
        registered = true;
    }
    for (source *known = in_use; known != nullptr; known = known->next) {
        if (known == &s)
            return;
    }
    s.next = in_use;
    in_use = &s;
}

constexpr int max_attempts = 10; // a server that is told to discard its caches sends an invalidation every time

bool try_look_up(source &s) {
    use(s);
    for (int attempt = 1;; attempt++) {
        uint64 before = pg::invalidations();
        Oid schema = get_namespace_oid("weir", true);
        s.heap = OidIsValid(schema) ? get_relname_relid(s.name, schema) : InvalidOid;
        if (pg::invalidations() == before || attempt == max_attempts)
            return OidIsValid(s.heap);
    }
}

void look_up(source &s) {
    if (try_look_up(s))
        return;
    if (!OidIsValid(get_namespace_oid("weir", true)) && OidIsValid(get_extension_oid("weir", true)))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the schema of the extension weir is not named \"weir\" any more"),
                        errhint("Give it back its name with ALTER SCHEMA … RENAME TO weir; nothing is lost.")));
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation \"weir.%s\" does not exist", s.name),
                    errhint("Run CREATE EXTENSION weir.")));
}

void find_index(source &s, Relation heap) {
    List *indexes = RelationGetIndexList(heap);
    s.single_index = list_length(indexes) == 1;
    s.index = heap->rd_pkindex;
    list_free(indexes);
    if (!OidIsValid(s.index))
        elog(ERROR, "log table \"%s\" has no primary key", s.name);
}

void find_details(table &t) {
    source &s = *t.from;
    MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
    IndexInfo *info = BuildIndexInfo(t.index);
    BTScanInsert seek = _bt_mkscankey(t.index, nullptr);
    MemoryContextSwitchTo(before);
    if (info->ii_NumIndexAttrs != 2 || info->ii_IndexAttrNumbers[0] != key_attribute ||
        info->ii_IndexAttrNumbers[1] != id_attribute)
        elog(ERROR, "primary key of log table \"%s\" is not on its first two columns", s.name);
    s.info = *info;
    // It has room for the keys of this index only.
    memcpy(&s.seek, seek,
           offsetof(BTScanInsertData, scankeys) +
               sizeof(ScanKeyData) * static_cast<std::size_t>(IndexRelationGetNumberOfKeyAttributes(t.index)));
    pfree(info);
    pfree(seek);
    s.seek.keysz = 1; // the log's key alone; a key made from nothing is full of NULLs
    s.seek.anynullkeys = false;
    s.seek.scankeys[0].sk_flags &= ~SK_ISNULL;
    pg::compat::bt_seek_backward(&s.seek);
}

} // namespace

Oid relation_oid(source &named) {
    if (!OidIsValid(named.heap))
        look_up(named);
    return named.heap;
}

bool exists(source &named) {
    AcceptInvalidationMessages();
    return OidIsValid(named.heap) || try_look_up(named);
}

Relation open_relation(source &named, LOCKMODE mode) {
    for (int tries = 0; tries < max_tries; tries++) {
        if (Relation relation = try_relation_open(relation_oid(named), mode))
            return relation;
        forget(named); // dropped, and perhaps made anew, since we looked
    }
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("relation \"weir.%s\" is being dropped and made anew", named.name),
                    errhint("Try again once DROP and CREATE EXTENSION are done.")));
    pg_unreachable();
}

Oid locked_oid(source &named, LOCKMODE mode) {
    Relation relation = open_relation(named, mode);
    Oid oid = RelationGetRelid(relation);
    relation_close(relation, NoLock);
    return oid;
}

// What is found here is good for this call, whose locks keep it; it is remembered if no
// invalidation came meanwhile.
table open(source &from, LOCKMODE mode) {
    table t{&from, nullptr, nullptr};
    t.heap = open_relation(from, mode);
    uint64 before = pg::invalidations();
    if (!OidIsValid(from.index))
        find_index(from, t.heap);
    t.index = index_open(from.index, mode);
    if (!from.detailed)
        find_details(t);
    if (pg::invalidations() == before) {
        from.heap = RelationGetRelid(t.heap);
        from.index = RelationGetRelid(t.index);
        from.detailed = true;
    } else {
        forget(from);
    }
    return t;
}

void close(table &t) {
    index_close(t.index, NoLock);
    table_close(t.heap, NoLock);
    t.heap = t.index = nullptr;
}

void on_invalidate(void (*forget_more)()) {
    for (int i = 0; i < listener_count; i++) {
        if (listeners[i] == forget_more)
            return;
    }
    Assert(listener_count < max_listeners);
    listeners[listener_count++] = forget_more;
}

} // namespace weir::log
