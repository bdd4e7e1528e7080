// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "outbox/cursor.hpp"
#include "outbox/fetched.hpp"

namespace weir::outbox {

namespace {

struct key {
    int64 subscription_id;
    int64 stream_id; // of_itself: whether there was a fetch, and the statement of the last ack
};

// What one subtransaction knows of a stream, above what those around it know.
struct record {
    key of;
    bool fetched;
    int64 position;
    int64 frames;
    CommandId acked_by; // of the snapshot of the statement; FirstCommandId: none
    SubTransactionId level;
    record *outer;
};

struct entry {
    key of;
    record *innermost;
};

// Lives in the context that it describes, which the end of the transaction deletes.
struct memory {
    MemoryContext context;
    HTAB *entries;
    record **records; // of the innermost subtransaction last
    int count;
    int capacity;
    MemoryContextCallback on_delete;
};

memory *known = nullptr;

void forget_all(void *) { known = nullptr; }

memory &open_memory() {
    if (known != nullptr)
        return *known;
    MemoryContext context = AllocSetContextCreate(TopTransactionContext, "weir fetched", ALLOCSET_SMALL_SIZES);
    auto *m = static_cast<memory *>(MemoryContextAllocZero(context, sizeof(memory)));
    HASHCTL control{};
    control.keysize = sizeof(key);
    control.entrysize = sizeof(entry);
    control.hcxt = context;
    m->context = context;
    m->entries = hash_create("weir fetched", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    m->capacity = 16;
    m->records = static_cast<record **>(MemoryContextAlloc(context, sizeof(record *) * 16));
    m->on_delete.func = forget_all;
    MemoryContextRegisterResetCallback(context, &m->on_delete);
    known = m;
    return *m;
}

record const *find(int64 subscription_id, int64 stream_id) {
    if (known == nullptr)
        return nullptr;
    key of{subscription_id, stream_id};
    auto *found = static_cast<entry *>(hash_search(known->entries, &of, HASH_FIND, nullptr));
    return found == nullptr ? nullptr : found->innermost;
}

// The record of this subtransaction, to be changed: that of an outer one stays as it is beneath.
record &changeable(int64 subscription_id, int64 stream_id) {
    memory &m = open_memory();
    key of{subscription_id, stream_id};
    SubTransactionId level = GetCurrentSubTransactionId();
    record const *outer = find(subscription_id, stream_id);
    if (outer != nullptr && outer->level == level)
        return *const_cast<record *>(outer);
    if (m.count == m.capacity) {
        m.records = static_cast<record **>(repalloc_huge(m.records, sizeof(record *) * 2 * m.capacity));
        m.capacity *= 2;
    }
    auto *fresh = static_cast<record *>(MemoryContextAllocZero(m.context, sizeof(record)));
    bool found = false;
    auto *e = static_cast<entry *>(hash_search(m.entries, &of, HASH_ENTER, &found));
    if (outer != nullptr)
        *fresh = *outer;
    fresh->of = of;
    fresh->level = level;
    fresh->outer = found ? e->innermost : nullptr;
    e->innermost = fresh;
    m.records[m.count++] = fresh;
    return *fresh;
}

void drop_last(memory &m) {
    record *last = m.records[--m.count];
    bool found = false;
    auto *e = static_cast<entry *>(hash_search(m.entries, &last->of, HASH_FIND, &found));
    e->innermost = last->outer;
    if (last->outer == nullptr)
        (void)hash_search(m.entries, &last->of, HASH_REMOVE, &found);
    pfree(last);
}

// Makes it one of the subtransaction around: in place of what that one knew, if anything.
bool hand_up(record *inner, SubTransactionId parent) {
    record *outer = inner->outer;
    if (outer == nullptr || outer->level != parent) {
        inner->level = parent;
        return true;
    }
    bool found = false;
    auto *e = static_cast<entry *>(hash_search(known->entries, &inner->of, HASH_FIND, &found));
    record *around = outer->outer;
    *outer = *inner;
    outer->level = parent;
    outer->outer = around;
    e->innermost = outer;
    pfree(inner);
    return false;
}

void hand_up_all(memory &m, SubTransactionId mine, SubTransactionId parent) {
    int first = m.count;
    while (first > 0 && m.records[first - 1]->level == mine)
        first--;
    int kept = first;
    for (int i = first; i < m.count; i++) {
        if (hand_up(m.records[i], parent))
            m.records[kept++] = m.records[i];
    }
    m.count = kept;
}

} // namespace

void note_fetched(int64 subscription_id, int64 stream_id, int64 position, int64 frames) {
    record &r = changeable(subscription_id, stream_id);
    if (r.fetched && r.position >= position)
        return;
    r.fetched = true;
    r.position = position;
    r.frames = frames;
}

void note_fetch(int64 subscription_id) {
    record &r = changeable(subscription_id, of_itself);
    // Statements take their snapshots one after another, and each ack makes the next one's number a higher one.
    if (r.acked_by != FirstCommandId && GetActiveSnapshot()->curcid + 1 <= r.acked_by)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("weir.ack() was evaluated before weir.fetch() in one statement"),
                        errdetail("What is fetched now would not be acknowledged, and come again."),
                        errhint("Acknowledge in a statement of its own, behind the one that fetches.")));
    r.fetched = true;
}

void note_ack(int64 subscription_id) {
    changeable(subscription_id, of_itself).acked_by = GetActiveSnapshot()->curcid + 1;
    (void)GetCurrentCommandId(true);
}

bool has_fetched(int64 subscription_id) {
    record const *r = find(subscription_id, of_itself);
    return r != nullptr && r->fetched;
}

void forget_fetched(int64 subscription_id, int64 stream_id) {
    if (!has_fetched(subscription_id))
        return;
    if (stream_id != of_itself) {
        if (find(subscription_id, stream_id) != nullptr)
            changeable(subscription_id, stream_id).fetched = false;
        return;
    }
    for (int i = 0, count = known->count; i < count; i++) {
        if (known->records[i]->of.subscription_id == subscription_id)
            changeable(subscription_id, known->records[i]->of.stream_id).fetched = false;
    }
}

fetched_list all_fetched(int64 subscription_id) {
    fetched_list all{nullptr, 0};
    if (known == nullptr)
        return all;
    all.streams = static_cast<fetched *>(palloc(sizeof(fetched) * static_cast<Size>(known->count)));
    for (int i = 0; i < known->count; i++) {
        record const &r = *known->records[i];
        bool is_stream = r.of.subscription_id == subscription_id && r.of.stream_id != of_itself;
        if (is_stream && r.fetched && find(subscription_id, r.of.stream_id) == &r)
            all.streams[all.count++] = {r.of.stream_id, r.position, r.frames};
    }
    return all;
}

void fetched_at_end_of_subtransaction(SubXactEvent what, SubTransactionId mine, SubTransactionId parent, void *) {
    if (known == nullptr)
        return;
    if (what == SUBXACT_EVENT_ABORT_SUB) {
        while (known->count > 0 && known->records[known->count - 1]->level == mine)
            drop_last(*known);
    } else if (what == SUBXACT_EVENT_COMMIT_SUB) {
        hand_up_all(*known, mine, parent);
    }
}

} // namespace weir::outbox
