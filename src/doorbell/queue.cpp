// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/queue.hpp"
#include "doorbell/shared.hpp"
#include "pg/monotonic.hpp"

namespace weir::doorbell {

namespace {

constexpr double full = 0.9;
constexpr int64 look_again_us = 100 * 1000;    // looking makes the server advance the queue's tail
constexpr const char *directory = "pg_notify"; // below the data directory, in which every process is
constexpr uint64 least_free_bytes = 1024 * 1024;
constexpr int max_doublings = 6;                      // of the worker's rest, from a second on
constexpr int64 writers_rest_us = 64 * USECS_PER_SEC; // beyond the worker's

bool handed = false; // by the running transaction

bool is_disk_full() {
    struct statvfs s;
    return statvfs(directory, &s) == 0 && s.f_bavail * s.f_frsize < least_free_bytes;
}

bool is_full() {
    static int64 looked_at = 0;
    static bool was_full = false;
    int64 now = pg::monotonic_us();
    if (now - looked_at > look_again_us) {
        was_full = DatumGetFloat8(DirectFunctionCall1(pg_notification_queue_usage, Datum{0})) > full || is_disk_full();
        looked_at = now;
    }
    return was_full;
}

void note_failure() {
    shared_state &s = attached_state();
    auto failures = static_cast<int>(pg_atomic_fetch_add_u32(&s.notify_failures, 1));
    int64 rest_us = USECS_PER_SEC << (failures < max_doublings ? failures : max_doublings);
    pg_atomic_write_u64(&s.notify_after, static_cast<uint64>(pg::monotonic_us() + rest_us));
}

} // namespace

void hand_over(const char *channel, const char *payload) {
    Async_Notify(channel, payload);
    handed = true;
}

bool could_notify_fail(bool by_worker) {
    shared_state &s = shared();
    if (pg_atomic_read_u32(&s.notify_failures) != 0) {
        auto after = static_cast<int64>(pg_atomic_read_u64(&s.notify_after));
        if (pg::monotonic_us() < after + (by_worker ? 0 : writers_rest_us))
            return true;
    }
    return is_full();
}

void handed_at_end(bool committed) {
    if (!handed)
        return;
    handed = false;
    if (committed && pg_atomic_read_u32(&attached_state().notify_failures) != 0)
        pg_atomic_write_u32(&attached_state().notify_failures, 0);
    // One that is not serializable, and has come as far as to hand something over, hardly fails for anything else.
    if (!committed && !IsolationIsSerializable() && !proc_exit_inprogress)
        note_failure();
}

void commit_notifications() {
    PG_TRY();
    {
        CommitTransactionCommand();
    }
    PG_CATCH();
    {
        // The process exits now, and rolls back on its way, whether somebody wanted that or NOTIFY failed.
        if (handed)
            note_failure();
        PG_RE_THROW();
    }
    PG_END_TRY();
}

} // namespace weir::doorbell
