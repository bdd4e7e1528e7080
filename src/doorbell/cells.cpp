// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/cells.hpp"
#include "doorbell/queue.hpp"
#include "pg/lock.hpp"

namespace weir::doorbell {

namespace {

// So that one transaction whose commit takes long, or one database, leaves cells to others.
constexpr int max_per_transaction = 32;
constexpr int max_per_database = cell_count / 2;

// Cells of which this process is a user.
struct cell_in_use {
    uint64 number; // being sent: under which it was armed
    uint16 at;
};
struct cell_list {
    cell_in_use in[cell_count];
    int count;
};
cell_list entered;     // by the transaction that is about to commit
cell_list sending;     // by its NOTIFY
bool has_sent = false; // in this transaction

uint64 own_last = 0; // the greatest number that this session has armed

char const *payload_of(char const *text) { return text + strlen(text) + 1; }

bool is_free(cell const &c) { return c.users == 0 && !c.armed; }

bool holds(int at, notification const &n) {
    shared_state const &s = attached_state();
    cell const &c = s.cells[at];
    return c.hash == static_cast<uint32>(n.hash) && c.length == n.length &&
           memcmp(s.cell_texts[at], n.text, n.length) == 0;
}

// The cell of equal text, or a free one; -1: neither. Under the lock.
int find_cell(notification const &n) {
    shared_state const &s = attached_state();
    int free = -1, own = 0;
    for (int i = 0; i < cell_count; i++) {
        cell const &c = s.cells[i];
        if (is_free(c)) {
            free = free < 0 ? i : free;
        } else if (c.database == MyDatabaseId) {
            own++;
            if (holds(i, n))
                return i;
        }
    }
    return own < max_per_database ? free : -1;
}

bool enter_cell(notification const &n) {
    shared_state &s = attached_state();
    int at = find_cell(n);
    if (at < 0)
        return false;
    cell &c = s.cells[at];
    if (is_free(c)) {
        c.database = MyDatabaseId;
        c.hash = static_cast<uint32>(n.hash);
        c.length = static_cast<uint16>(n.length);
        memcpy(s.cell_texts[at], n.text, n.length);
    }
    c.users++;
    entered.in[entered.count++] = {0, static_cast<uint16>(at)};
    return true;
}

bool could_fit(notification const *list) {
    int count = 0;
    for (; list != nullptr; list = list->next) {
        if (list->length > cell_text_size || ++count > max_per_transaction)
            return false;
    }
    return true;
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

int by_number(void const *a, void const *b) {
    uint64 first = static_cast<cell_in_use const *>(a)->number, second = static_cast<cell_in_use const *>(b)->number;
    return first < second ? -1 : first > second;
}

// All that is armed, in order.
void take_cells() {
    shared_state &s = attached_state();
    LWLockAcquire(&s.lock, LW_EXCLUSIVE);
    for (int i = 0; i < cell_count; i++) {
        cell &c = s.cells[i];
        if (!c.armed || c.database != MyDatabaseId)
            continue;
        c.armed = false;
        c.sent = true;
        c.users++;
        sending.in[sending.count++] = {c.number, static_cast<uint16>(i)};
    }
    LWLockRelease(&s.lock);
    qsort(sending.in, static_cast<Size>(sending.count), sizeof sending.in[0], by_number);
}

bool is_among(int at, notification const *list) {
    for (; list != nullptr; list = list->next) {
        if (holds(at, *list))
            return true;
    }
    return false;
}

} // namespace

bool is_same(notification const &a, notification const &b) {
    return a.hash == b.hash && a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

void hand_to_notify(notification const &n) { hand_over(n.text, payload_of(n.text)); }

bool enter_cells(notification const *list) {
    if (!is_shared() || !could_fit(list))
        return false;
    bool full = false;
    LWLockAcquire(&attached_state().lock, LW_EXCLUSIVE);
    for (; list != nullptr && !full; list = list->next)
        full = !enter_cell(*list);
    LWLockRelease(&attached_state().lock);
    if (full) {
        (void)leave_cells(false);
        free_orphans(); // for the next one
    }
    return !full;
}

bool leave_cells(bool committed) {
    if (entered.count == 0)
        return false;
    shared_state &s = attached_state();
    LWLockAcquire(&s.lock, LW_EXCLUSIVE);
    for (int i = 0; i < entered.count; i++) {
        cell &c = s.cells[entered.in[i].at];
        c.users--;
        if (!committed)
            continue;
        c.armed = true;
        c.number = own_last = ++s.last_number;
    }
    LWLockRelease(&s.lock);
    entered.count = 0;
    return committed;
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

bool has_own_cells() {
    if (own_last == 0)
        return false;
    shared_state &s = attached_state();
    bool any = false;
    LWLockAcquire(&s.lock, LW_SHARED);
    for (cell const &c : s.cells)
        any |= c.database == MyDatabaseId && (c.sent || (c.armed && c.number <= own_last));
    LWLockRelease(&s.lock);
    if (!any)
        own_last = 0;
    return any;
}

bool become_sender(bool wait) {
    if (!wait)
        return pg::try_lock_quietly(pg::lock_class::sender, 0);
    pg::lock(pg::lock_class::sender, 0);
    return true;
}

int send_cells(notification const *own) {
    // NOTIFY drops what the transaction has sent before: a text armed again since would come too early.
    if (has_sent)
        return 0;
    has_sent = true;
    take_cells();
    int sent = 0;
    for (int i = 0; i < sending.count; i++) {
        // A cell in use keeps its text.
        int at = sending.in[i].at;
        if (is_among(at, own))
            continue;
        hand_over(attached_state().cell_texts[at], payload_of(attached_state().cell_texts[at]));
        sent++;
    }
    return sent;
}

bool cells_sent(bool committed) {
    has_sent = false;
    if (sending.count == 0)
        return false;
    shared_state &s = attached_state();
    bool waiting = false;
    LWLockAcquire(&s.lock, LW_EXCLUSIVE);
    for (int i = 0; i < sending.count; i++) {
        cell &c = s.cells[sending.in[i].at];
        c.users--;
        c.sent = false;
        if (!committed && !c.armed) { // else it goes with the one that came since
            c.armed = true;
            c.number = sending.in[i].number;
        }
    }
    for (cell const &c : s.cells)
        waiting |= c.armed && c.database == MyDatabaseId;
    LWLockRelease(&s.lock);
    sending.count = 0;
    return waiting;
}

} // namespace weir::doorbell
