// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/cells.hpp"
#include "doorbell/marks.hpp"
#include "doorbell/notify.hpp"
#include "doorbell/queue.hpp"
#include "pg/settings.hpp"
#include "pg/text.hpp"
#include "worker/worker.hpp"

namespace weir::doorbell {

namespace {

notification *newest = nullptr; // in the transaction's memory
HTAB *known = nullptr;          // hash to notification, made when there are a few

struct known_entry {
    uint64 hash;
    notification *first;
};
constexpr int few = 16;
int count = 0;

void make_known() {
    HASHCTL control{};
    control.keysize = sizeof(uint64);
    control.entrysize = sizeof(known_entry);
    control.hcxt = TopTransactionContext;
    known = hash_create("weir notifications", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    for (notification *w = newest; w != nullptr; w = w->next) {
        bool found = false;
        static_cast<known_entry *>(hash_search(known, &w->hash, HASH_ENTER, &found))->first = w;
    }
}

// What is wanted already, by this subtransaction or one that it will end with, need not be wanted again.
bool is_known(notification &w) {
    if (count < few) {
        for (notification const *other = newest; other != nullptr; other = other->next) {
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

// Turns the list around: NOTIFY keeps the order of its transaction.
notification *take_in_order() {
    notification *oldest = nullptr;
    while (newest != nullptr) {
        notification *w = newest;
        newest = w->next;
        w->next = oldest;
        oldest = w;
    }
    forget();
    return oldest;
}

// Behind what waits in cells: its session's own in any case, others' where nobody is at it.
void send_by_itself(notification const *own) {
    bool must = own != nullptr && has_own_cells();
    if ((must || has_cells(MyDatabaseId)) && become_sender(must))
        (void)send_cells(own);
    for (; own != nullptr; own = own->next)
        hand_to_notify(*own);
}

} // namespace

void notify(const char *channel, const char *payload) {
    prepare();
    Size channel_size = strlen(channel) + 1, payload_size = strlen(payload) + 1;
    auto *w = static_cast<notification *>(
        MemoryContextAlloc(TopTransactionContext, sizeof(notification) + channel_size + payload_size));
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

bool has_notifications() {
    if (newest != nullptr)
        return true;
    // The server tells of its own only by refusing to prepare a transaction that has some.
    volatile bool any = false;
    MemoryContext before = CurrentMemoryContext;
    PG_TRY();
    {
        AtPrepare_Notify();
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(before);
        FlushErrorState();
        any = true;
    }
    PG_END_TRY();
    return any;
}

void notify_before_commit(bool for_others) {
    if (newest == nullptr && !for_others)
        return;
    notification *own = take_in_order();
    bool by_worker = pg::settings::doorbell == pg::settings::doorbell_worker &&
                     (worker::available(worker::kind::doorbell) || could_notify_fail(false));
    if (for_others || !by_worker || !enter_cells(own))
        send_by_itself(own);
}

void notify_at_end(bool committed) {
    forget();
    bool waiting = leave_cells(committed);
    waiting |= cells_sent(committed);
    if (waiting)
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
        for (notification *w = newest; w != nullptr && w->sub >= sub; w = w->next)
            w->sub = parent;
    }
}

} // namespace weir::doorbell
