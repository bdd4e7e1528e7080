// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/marks.hpp"
#include "doorbell/notify.hpp"
#include "doorbell/shared.hpp"
#include "pg/settings.hpp"
#include "worker/worker.hpp"

namespace weir::doorbell {

namespace {

struct wanted {
    char *text; // channel, NUL, payload, NUL
    uint32 hash;
    uint16 length; // 0: too long for a cell
    SubTransactionId sub;
    wanted *next;
};

wanted *newest = nullptr; // in the transaction's memory

// Cells of which this process is a user.
struct cell_list {
    uint16 at[cell_count];
    int count;
};
cell_list entered; // by the transaction that is about to commit
cell_list sending; // by the worker

char const *payload_of(char const *text) { return text + strlen(text) + 1; }

bool is_free(cell const &c) { return c.users == 0 && !c.armed; }

// Under the lock.
bool enter_cell(wanted const &w) {
    shared_state &s = attached_state();
    int at = -1;
    for (int i = 0; i < cell_count; i++) {
        cell const &c = s.cells[i];
        if (is_free(c)) {
            at = at < 0 ? i : at;
        } else if (c.hash == w.hash && c.database == MyDatabaseId && c.length == w.length &&
                   memcmp(c.text, w.text, w.length) == 0) {
            at = i;
            break;
        }
    }
    if (at < 0)
        return false;
    cell &c = s.cells[at];
    if (is_free(c)) {
        c.database = MyDatabaseId;
        c.hash = w.hash;
        c.length = w.length;
        memcpy(c.text, w.text, w.length);
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

} // namespace

void notify(const char *channel, const char *payload) {
    Size channel_size = strlen(channel) + 1, size = channel_size + strlen(payload) + 1;
    prepare();
    SubTransactionId sub = GetCurrentSubTransactionId();
    auto *text = static_cast<char *>(MemoryContextAlloc(TopTransactionContext, size));
    memcpy(text, channel, channel_size);
    memcpy(text + channel_size, payload, size - channel_size);
    uint32 hash = hash_bytes(reinterpret_cast<unsigned char *>(text), static_cast<int>(size));
    // Repeating oneself is common, as from a row trigger; cells and NOTIFY see to the rest.
    int looks = 16;
    for (wanted const *w = newest; w != nullptr && w->sub == sub && looks > 0; w = w->next, looks--) {
        if (w->hash == hash && strcmp(w->text, channel) == 0 && strcmp(payload_of(w->text), payload) == 0) {
            pfree(text);
            return;
        }
    }
    auto *w = static_cast<wanted *>(MemoryContextAlloc(TopTransactionContext, sizeof(wanted)));
    *w = {text, hash, static_cast<uint16>(size <= cell_text_size ? size : 0), sub, newest};
    newest = w;
}

void notify_before_commit() {
    if (newest == nullptr)
        return;
    bool by_worker =
        pg::settings::doorbell == pg::settings::doorbell_worker && worker::available(worker::kind::doorbell);
    wanted *oldest = nullptr; // NOTIFY keeps the order of its transaction
    while (newest != nullptr) {
        wanted *w = newest;
        newest = w->next;
        w->next = oldest;
        oldest = w;
    }
    if (by_worker)
        LWLockAcquire(&attached_state().lock, LW_EXCLUSIVE);
    wanted *own = nullptr, **end = &own;
    for (wanted *w = oldest; w != nullptr; w = w->next) {
        if (by_worker && w->length > 0 && entered.count < cell_count && enter_cell(*w))
            continue;
        *end = w;
        end = &w->next;
    }
    *end = nullptr;
    if (by_worker)
        LWLockRelease(&attached_state().lock);
    for (wanted const *w = own; w != nullptr; w = w->next)
        Async_Notify(w->text, payload_of(w->text));
}

void notify_at_end(bool committed) {
    newest = nullptr;
    bool ring = committed && entered.count > 0;
    leave_cells(entered, committed);
    if (ring)
        worker::wake(worker::kind::doorbell);
}

void notify_at_savepoint(SubXactEvent event, SubTransactionId sub, SubTransactionId parent) {
    if (event == SUBXACT_EVENT_ABORT_SUB) {
        while (newest != nullptr && newest->sub >= sub)
            newest = newest->next;
    } else if (event == SUBXACT_EVENT_COMMIT_SUB) {
        for (wanted *w = newest; w != nullptr && w->sub >= sub; w = w->next)
            w->sub = parent;
    }
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
        char const *text = s.cells[sending.at[i]].text;
        Async_Notify(text, payload_of(text));
    }
    return sending.count;
}

void cells_sent() { leave_cells(sending, false); }
void rearm_cells() { leave_cells(sending, true); }

} // namespace weir::doorbell
