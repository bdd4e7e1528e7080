// SPDX-License-Identifier: PostgreSQL
//
// What a transaction has written is kept in a table of fixed size; one that writes
// more logs than it holds rings "look at everything".
#include "pg/pg.hpp"

#include "doorbell/bells.hpp"
#include "doorbell/marks.hpp"
#include "doorbell/notify.hpp"
#include "doorbell/queue.hpp"
#include "pg/settings.hpp"
#include "worker/worker.hpp"

namespace weir::doorbell {

namespace {

struct written {
    int64 log;
    int64 first;
    int64 last;
    uint32 bell;
    SubTransactionId sub; // that wrote it last
};

constexpr int max_written = 256;
constexpr int table_size = 512;
static_assert((table_size & (table_size - 1)) == 0);

written logs[max_written];
int log_count = 0;
uint16 table[table_size]; // index + 1 of a log, 0: none
bool beyond = false;      // there are more than that
int64 beyond_first = 0;   // at or above which their positions lie
SubTransactionId beyond_sub = InvalidSubTransactionId;
bool own_notify = false; // this transaction tells others itself
bool (*send_own)(noted const &) = nullptr;
void (*settle_own)(bool committed) = nullptr;
constexpr int max_to_wake = 8; // sleepers, by one transaction; the rest by the worker

uint32 hash_of(int64 log) {
    return murmurhash32(static_cast<uint32>(log) ^ static_cast<uint32>(static_cast<uint64>(log) >> 32) * 0x9e3779b9);
}

void forget() {
    if (log_count > 0)
        memset(table, 0, sizeof table);
    log_count = 0;
    beyond = false;
    own_notify = false;
}

// The window of a group in which a log's mark is.
struct place {
    group *in;
    uint32 start;
    static constexpr uint32 window = 16;

    uint32 at(uint32 i) const { return (start + i) % group_size; }
};

place place_of(int64 log) {
    uint32 hash = hash_of(log ^ static_cast<int64>(MyDatabaseId) << 40);
    return {&attached_state().groups[hash % group_count], hash / group_count};
}

bool is_occupied(group const &g, uint32 at) { return g.occupied >> at & 1; }

// Leaves a mark for the worker; false: there is no room.
bool put_mark(written const &w) {
    place p = place_of(w.log);
    group &g = *p.in;
    int into = -1;
    SpinLockAcquire(&g.lock);
    for (uint32 i = 0; i < place::window; i++) {
        uint32 at = p.at(i);
        if (!is_occupied(g, at)) {
            into = into < 0 ? static_cast<int>(at) : into;
        } else if (g.marks[at].log == w.log && g.marks[at].database == MyDatabaseId) {
            into = static_cast<int>(at);
            break;
        }
    }
    if (into >= 0) {
        mark &m = g.marks[into];
        if (!is_occupied(g, static_cast<uint32>(into))) {
            g.occupied |= uint64{1} << into;
            m = {MyDatabaseId, 0, w.log, w.first, w.last};
        }
        m.rings++;
        m.first = w.first < m.first ? w.first : m.first;
        m.last = w.last > m.last ? w.last : m.last;
    }
    SpinLockRelease(&g.lock);
    return into >= 0;
}

// Makes room where marks of a database stand that no worker serves, as when it was dropped.
void evict(written const &w) {
    place p = place_of(w.log);
    group &g = *p.in;
    for (uint32 i = 0; i < place::window; i++) {
        mark &m = g.marks[p.at(i)];
        Oid database = *const_cast<Oid volatile *>(&m.database);
        if (database == MyDatabaseId || worker::is_served(database))
            continue;
        SpinLockAcquire(&g.lock);
        bool still = is_occupied(g, p.at(i)) && m.database == database;
        int64 first = m.first;
        if (still)
            g.occupied &= ~(uint64{1} << p.at(i));
        SpinLockRelease(&g.lock);
        if (still)
            worker::look_from(database, first);
    }
}

void leave_mark(written const &w) {
    if (is_shared() && put_mark(w))
        return;
    if (is_shared())
        evict(w);
    if (!is_shared() || !put_mark(w))
        worker::look_from(MyDatabaseId, w.first);
}

// Rings what was written since a subtransaction began.
void ring(SubTransactionId since, bool tell_worker) {
    bool rang = false, left = false;
    int to_wake = tell_worker ? max_to_wake : waiter_count;
    pg_memory_barrier(); // what was settled before, who waits for it after
    for (int i = 0; i < log_count; i++) {
        written const &w = logs[i];
        if (w.sub < since)
            continue;
        if (tell_worker)
            leave_mark(w);
        rang = true;
        to_wake -= ring_bell(w.bell, to_wake, &left);
    }
    if (beyond && beyond_sub >= since) {
        if (tell_worker)
            worker::look_from(MyDatabaseId, beyond_first);
        rang = true;
        ring_all_bells();
    }
    if (rang && tell_worker && !worker::wake(worker::kind::doorbell) && left)
        ring_pending_bells();
}

void before_commit() {
    if (pg::settings::doorbell == pg::settings::doorbell_off || log_count == 0)
        return;
    if (pg::settings::doorbell == pg::settings::doorbell_worker && worker::available(worker::kind::doorbell))
        return;
    noted n{static_cast<mark *>(palloc(sizeof(mark) * static_cast<Size>(log_count))), log_count, beyond, beyond_first};
    for (int i = 0; i < log_count; i++)
        n.marks[i] = {MyDatabaseId, 1, logs[i].log, logs[i].first, logs[i].last};
    own_notify = true; // should it fail half-way
    own_notify = send_own(n);
    pfree(n.marks);
}

// A rollback, and what could not be sent, is left for the worker in any case.
void at_end_of_writing(bool committed) {
    if (own_notify)
        settle_own(committed);
    if (log_count > 0 && pg::settings::doorbell != pg::settings::doorbell_off)
        ring(InvalidSubTransactionId,
             !(own_notify && committed) && pg::settings::doorbell == pg::settings::doorbell_worker);
    forget();
}

void at_end(XactEvent event, void *) {
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
        before_commit();
        notify_before_commit(own_notify && pg::settings::doorbell == pg::settings::doorbell_worker);
        break;
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_ABORT:
        handed_at_end(event == XACT_EVENT_COMMIT);
        notify_at_end(event == XACT_EVENT_COMMIT);
        at_end_of_writing(event == XACT_EVENT_COMMIT);
        if (event == XACT_EVENT_ABORT)
            leave_bells();
        break;
    case XACT_EVENT_PREPARE: // COMMIT PREPARED runs anywhere; readers come by slowly all the same
        notify_at_end(false);
        forget();
        break;
    default:
        break;
    }
}

void at_savepoint(SubXactEvent event, SubTransactionId sub, SubTransactionId parent, void *) {
    notify_at_savepoint(event, sub, parent);
    if (event == SUBXACT_EVENT_ABORT_SUB && log_count > 0 && pg::settings::doorbell != pg::settings::doorbell_off)
        ring(sub, pg::settings::doorbell == pg::settings::doorbell_worker);
}

} // namespace

void prepare() {
    prepare_shared();
    worker::prepare();
}

void note(int64 log, std::string_view name, int64 first, int64 last) {
    SubTransactionId sub = GetCurrentSubTransactionId();
    written *w = nullptr;
    if (log_count > 0 && logs[log_count - 1].log == log) {
        w = &logs[log_count - 1];
    } else {
        uint32 at = hash_of(log) & (table_size - 1);
        while (table[at] != 0 && logs[table[at] - 1].log != log)
            at = (at + 1) & (table_size - 1);
        if (table[at] != 0) {
            w = &logs[table[at] - 1];
        } else if (log_count < max_written) {
            w = &logs[log_count++];
            *w = {log, first, last, bell_of(name), sub};
            table[at] = static_cast<uint16>(log_count);
        }
    }
    if (w != nullptr) {
        w->last = last;
        w->sub = sub;
    } else {
        beyond_first = beyond && beyond_first < first ? beyond_first : first;
        beyond_sub = sub;
        beyond = true;
    }
}

void watch_transactions() {
    RegisterXactCallback(at_end, nullptr);
    RegisterSubXactCallback(at_savepoint, nullptr);
}

void on_own_notify(bool (*send)(noted const &), void (*settle)(bool committed)) {
    send_own = send;
    settle_own = settle;
}

int take_marks(Oid database, mark *out, int room) {
    int taken = 0;
    prepare_shared();
    for (group &g : shared().groups) {
        if (*const_cast<uint64 volatile *>(&g.occupied) == 0)
            continue;
        if (room - taken < group_size)
            break;
        SpinLockAcquire(&g.lock);
        for (uint64 left = g.occupied; left != 0; left &= left - 1) {
            int at = pg_rightmost_one_pos64(left);
            if (g.marks[at].database != database)
                continue;
            out[taken++] = g.marks[at];
            g.occupied &= ~(uint64{1} << at);
        }
        SpinLockRelease(&g.lock);
    }
    return taken;
}

} // namespace weir::doorbell
