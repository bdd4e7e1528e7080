// SPDX-License-Identifier: PostgreSQL
//
// What a transaction has written is kept in a table of fixed size; one that writes
// more logs than it holds rings "look at everything".
#include "pg/pg.hpp"

#include "doorbell/bells.hpp"
#include "doorbell/marks.hpp"
#include "doorbell/notify.hpp"
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

constexpr int most_written = 256;
constexpr int table_size = 512;
static_assert((table_size & (table_size - 1)) == 0);

written logs[most_written];
int log_count = 0;
uint16 table[table_size]; // index + 1 of a log, 0: none
bool beyond = false;      // there are more than that
int64 beyond_first = 0;   // at or above which their positions lie
SubTransactionId beyond_sub = InvalidSubTransactionId;
bool own_notify = false; // this transaction told others itself
void (*send_own)(noted const &) = nullptr;

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

// Leaves a mark for the worker; false: there is no room.
bool put_mark(written const &w) {
    uint32 hash = hash_of(w.log ^ static_cast<int64>(MyDatabaseId) << 40);
    group &g = attached_state().groups[hash % group_count];
    constexpr uint32 window = 16;
    mark *into = nullptr;
    SpinLockAcquire(&g.lock);
    for (uint32 i = 0; i < window; i++) {
        uint32 at = (hash / group_count + i) % group_size;
        mark &m = g.marks[at];
        if (!(g.occupied >> at & 1)) {
            if (into == nullptr)
                into = &m;
        } else if (m.log == w.log && m.database == MyDatabaseId) {
            into = &m;
            break;
        }
    }
    if (into != nullptr) {
        uint64 bit = uint64{1} << (into - g.marks);
        if (!(g.occupied & bit)) {
            g.occupied |= bit;
            *into = {MyDatabaseId, 0, w.log, w.first, w.last};
        }
        into->rings++;
        into->first = w.first < into->first ? w.first : into->first;
        into->last = w.last > into->last ? w.last : into->last;
    }
    SpinLockRelease(&g.lock);
    return into != nullptr;
}

// Rings what was written since a subtransaction began.
void ring(SubTransactionId since, bool tell_worker) {
    bool left = false;
    pg_memory_barrier(); // what was settled before, who waits for it after
    for (int i = 0; i < log_count; i++) {
        written const &w = logs[i];
        if (w.sub < since)
            continue;
        if (tell_worker && !put_mark(w))
            worker::look_from(w.first);
        left = true;
        ring_bell(w.bell);
    }
    if (beyond && beyond_sub >= since) {
        if (tell_worker)
            worker::look_from(beyond_first);
        left = true;
        ring_all_bells();
    }
    if (left && tell_worker)
        worker::wake(worker::kind::doorbell);
}

void before_commit() {
    if (pg::settings::doorbell == pg::settings::doorbell_off || log_count == 0)
        return;
    own_notify =
        pg::settings::doorbell == pg::settings::doorbell_transaction || !worker::available(worker::kind::doorbell);
    if (!own_notify || send_own == nullptr)
        return;
    noted n{static_cast<mark *>(palloc(sizeof(mark) * static_cast<Size>(log_count))), log_count, beyond, beyond_first};
    for (int i = 0; i < log_count; i++)
        n.marks[i] = {MyDatabaseId, 1, logs[i].log, logs[i].first, logs[i].last};
    send_own(n);
}

void at_end(XactEvent event, void *) {
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
        before_commit();
        notify_before_commit();
        break;
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_ABORT:
        notify_at_end(event == XACT_EVENT_COMMIT);
        if (log_count > 0 && pg::settings::doorbell != pg::settings::doorbell_off)
            ring(InvalidSubTransactionId, !own_notify && pg::settings::doorbell == pg::settings::doorbell_worker);
        forget();
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
    (void)shared();
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
        } else if (log_count < most_written) {
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

void on_own_notify(void (*send)(noted const &)) { send_own = send; }

int take_marks(Oid database, mark *out, int room) {
    int taken = 0;
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
