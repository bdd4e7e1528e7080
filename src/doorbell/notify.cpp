// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/marks.hpp"
#include "doorbell/notify.hpp"
#include "doorbell/shared.hpp"
#include "pg/settings.hpp"
#include "pg/text.hpp"
#include "worker/worker.hpp"

namespace weir::doorbell {

namespace {

// So that one transaction whose commit takes long, or one database, leaves cells to others.
constexpr int most_of_transaction = 32;
constexpr int most_of_database = cell_count / 2;

struct wanted {
    char *text; // channel, NUL, payload, NUL
    uint64 hash;
    Size length;
    SubTransactionId sub;
    wanted *next;
};

wanted *newest = nullptr; // in the transaction's memory
HTAB *known = nullptr;    // hash to wanted, made when there are a few

struct known_entry {
    uint64 hash;
    wanted *first;
};
constexpr int few = 16;
int count = 0;

// Cells of which this process is a user.
struct cell_list {
    uint16 at[cell_count];
    int count;
};
cell_list entered; // by the transaction that is about to commit
cell_list sending; // by whoever sends

char const *payload_of(char const *text) { return text + strlen(text) + 1; }

bool is_same(wanted const &w, wanted const &other) {
    return w.hash == other.hash && w.length == other.length && memcmp(w.text, other.text, w.length) == 0;
}

void make_known() {
    HASHCTL control{};
    control.keysize = sizeof(uint64);
    control.entrysize = sizeof(known_entry);
    control.hcxt = TopTransactionContext;
    known = hash_create("weir notifications", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    for (wanted *w = newest; w != nullptr; w = w->next) {
        bool found = false;
        static_cast<known_entry *>(hash_search(known, &w->hash, HASH_ENTER, &found))->first = w;
    }
}

// What is wanted already, by this subtransaction or one that it will end with, need not be wanted again.
bool is_known(wanted &w) {
    if (count < few) {
        for (wanted const *other = newest; other != nullptr; other = other->next) {
            if (is_same(w, *other))
                return true;
        }
        return false;
    }
    if (known == nullptr)
        make_known();
    bool found = false;
    auto *entry = static_cast<known_entry *>(hash_search(known, &w.hash, HASH_ENTER, &found));
    if (found && is_same(w, *entry->first))
        return true;
    entry->first = &w;
    return false;
}

void forget() {
    newest = nullptr;
    known = nullptr;
    count = 0;
}

bool is_free(cell const &c) { return c.users == 0 && !c.armed; }

// The cell of equal text, or a free one; -1: neither. Under the lock.
int find_cell(wanted const &w) {
    shared_state const &s = attached_state();
    int free = -1, own = 0;
    auto hash = static_cast<uint32>(w.hash);
    for (int i = 0; i < cell_count; i++) {
        cell const &c = s.cells[i];
        if (is_free(c)) {
            free = free < 0 ? i : free;
        } else if (c.database == MyDatabaseId) {
            own++;
            if (c.hash == hash && c.length == w.length && memcmp(s.cell_texts[i], w.text, w.length) == 0)
                return i;
        }
    }
    return own < most_of_database ? free : -1;
}

bool enter_cell(wanted const &w) {
    if (w.length > cell_text_size || entered.count == most_of_transaction)
        return false;
    shared_state &s = attached_state();
    int at = find_cell(w);
    if (at < 0)
        return false;
    cell &c = s.cells[at];
    if (is_free(c)) {
        c.database = MyDatabaseId;
        c.hash = static_cast<uint32>(w.hash);
        c.length = static_cast<uint16>(w.length);
        memcpy(s.cell_texts[at], w.text, w.length);
    }
    c.users++;
    entered.at[entered.count++] = static_cast<uint16>(at);
    return true;
}

void leave_cells(cell_list &list, bool armed) {
    if (list.count == 0)
        return;
    shared_state &s = attached_state();
    LWLockAcquire(&s.lock, LW_EXCLUSIVE);
    for (int i = 0; i < list.count; i++) {
        cell &c = s.cells[list.at[i]];
        c.users--;
        c.armed |= armed;
    }
    LWLockRelease(&s.lock);
    list.count = 0;
}

// Cells of databases that are gone are sent by nobody.
void free_orphans() {
    shared_state &s = attached_state();
    Oid orphans[cell_count];
    int orphan_count = 0;
    LWLockAcquire(&s.lock, LW_SHARED);
    for (cell const &c : s.cells) {
        if (c.armed && c.users == 0 && c.database != MyDatabaseId)
            orphans[orphan_count++] = c.database;
    }
    LWLockRelease(&s.lock);
    for (int i = 0; i < orphan_count; i++) {
        if ((i > 0 && orphans[i] == orphans[i - 1]) || SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(orphans[i])))
            continue;
        LWLockAcquire(&s.lock, LW_EXCLUSIVE);
        for (cell &c : s.cells)
            c.armed &= c.database != orphans[i];
        LWLockRelease(&s.lock);
    }
}

// Turns the list around: NOTIFY keeps the order of its transaction.
wanted *take_in_order() {
    wanted *oldest = nullptr;
    while (newest != nullptr) {
        wanted *w = newest;
        newest = w->next;
        w->next = oldest;
        oldest = w;
    }
    forget();
    return oldest;
}

// What found a cell leaves the list.
wanted *enter_cells(wanted *list) {
    wanted *rest = nullptr, **end = &rest;
    bool full = false;
    LWLockAcquire(&attached_state().lock, LW_EXCLUSIVE);
    for (wanted *w = list; w != nullptr; w = w->next) {
        if (!full && enter_cell(*w))
            continue;
        full |= w->length <= cell_text_size;
        *end = w;
        end = &w->next;
    }
    *end = nullptr;
    LWLockRelease(&attached_state().lock);
    if (full && entered.count < most_of_transaction)
        free_orphans(); // for the next one
    return rest;
}

} // namespace

void notify(const char *channel, const char *payload) {
    prepare();
    Size channel_size = strlen(channel) + 1, payload_size = strlen(payload) + 1;
    auto *w =
        static_cast<wanted *>(MemoryContextAlloc(TopTransactionContext, sizeof(wanted) + channel_size + payload_size));
    *w = {reinterpret_cast<char *>(w + 1), 0, channel_size + payload_size, GetCurrentSubTransactionId(), newest};
    memcpy(w->text, channel, channel_size);
    memcpy(w->text + channel_size, payload, payload_size);
    w->hash = pg::hash_of({w->text, w->length});
    if (is_known(*w)) {
        pfree(w);
        return;
    }
    newest = w;
    count++;
}

void notify_before_commit() {
    if (newest == nullptr)
        return;
    wanted *own = take_in_order();
    if (pg::settings::doorbell == pg::settings::doorbell_worker && worker::available(worker::kind::doorbell))
        own = enter_cells(own);
    for (wanted const *w = own; w != nullptr; w = w->next)
        Async_Notify(w->text, payload_of(w->text));
}

void notify_at_end(bool committed) {
    forget();
    bool ring = committed && entered.count > 0;
    leave_cells(entered, committed);
    if (ring)
        worker::wake(worker::kind::doorbell);
}

void notify_at_savepoint(SubXactEvent event, SubTransactionId sub, SubTransactionId parent) {
    if (event == SUBXACT_EVENT_ABORT_SUB) {
        while (newest != nullptr && newest->sub >= sub) {
            newest = newest->next;
            count--;
            known = nullptr; // made anew from what is left; its memory goes with the transaction
        }
    } else if (event == SUBXACT_EVENT_COMMIT_SUB) {
        for (wanted *w = newest; w != nullptr && w->sub >= sub; w = w->next)
            w->sub = parent;
    }
}

bool has_cells(Oid database) {
    shared_state &s = shared();
    bool any = false;
    LWLockAcquire(&s.lock, LW_SHARED);
    for (cell const &c : s.cells)
        any |= c.armed && c.database == database;
    LWLockRelease(&s.lock);
    return any;
}

int send_cells(Oid database) {
    shared_state &s = shared();
    LWLockAcquire(&s.lock, LW_EXCLUSIVE);
    for (int i = 0; i < cell_count; i++) {
        cell &c = s.cells[i];
        if (!c.armed || c.database != database)
            continue;
        c.armed = false;
        c.users++;
        sending.at[sending.count++] = static_cast<uint16>(i);
    }
    LWLockRelease(&s.lock);
    // A cell in use keeps its text.
    for (int i = 0; i < sending.count; i++) {
        char const *text = s.cell_texts[sending.at[i]];
        Async_Notify(text, payload_of(text));
    }
    return sending.count;
}

void cells_sent(bool committed) { leave_cells(sending, !committed); }

} // namespace weir::doorbell
