// SPDX-License-Identifier: PostgreSQL
//
// kv_compact(): what was superseded or deleted before a revision goes now, and with it the states and cursors of
// before.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/housekeeping.hpp"
#include "kv/lifecycle.hpp"
#include "kv/names.hpp"
#include "kv/request.hpp"
#include "kv/settled.hpp"
#include "kv/versions.hpp"
#include "log/scan.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/key_lock.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"

namespace core = weir::core;
namespace kv = weir::kv;
namespace log_ = weir::log;
namespace pg = weir::pg;

namespace {

// Whether a change has been made up for below a position: by a later one, or since it says that there is nothing.
bool is_spare(kv::versions &v, int64 bucket_id, kv::prefix const &row, std::string_view key, int64 below,
              Snapshot snapshot) {
    if (!kv::find_newest(v, bucket_id, pg::to_text(key), below - 1, snapshot))
        return false;
    return kv::prefix_of(v.slot).revision != row.revision || kv::op_of(row) != kv::op::put;
}

// Everything below is settled, and none of it the bucket's newest row.
int64 remove_below(int64 bucket_id, int64 below, kv::checkpoint &c, Snapshot snapshot) {
    int64 removed = 0;
    kv::versions v;
    kv::open_versions(v);
    log_::table t = log_::open(kv::log_source, RowExclusiveLock);
    log_::scan s;
    log_::begin(s, t, bucket_id, -1, below - 1, ForwardScanDirection, snapshot);
    MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "weir change", ALLOCSET_DEFAULT_SIZES);
    while (log_::next(s) == log_::step::frame) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext before = MemoryContextSwitchTo(per_row);
        kv::prefix const row = kv::prefix_of(s.slot);
        int64 size = kv::size_of(s.slot);
        if (kv::is_change(row) && is_spare(v, bucket_id, row, kv::key_of(s.slot), below, snapshot) &&
            log_::remove(s) == log_::deletion::done) {
            removed++;
            c.kept--;
            c.bytes -= size;
        }
        MemoryContextSwitchTo(before);
        MemoryContextReset(per_row);
    }
    log_::end(s);
    log_::close(t);
    kv::close_versions(v);
    MemoryContextDelete(per_row);
    return removed;
}

int64 compact(int64 bucket_id, int64 before) {
    int64 newest =
        kv::newest_position(bucket_id); // before the snapshot: what is there by now is settled for it, or met
    Snapshot snapshot = pg::take_snapshot();
    int64 removed = 0;
    if (kv::is_there(bucket_id, snapshot)) {
        kv::catch_up(bucket_id, snapshot);
        CommandCounterIncrement();
        Snapshot now = pg::take_snapshot();
        kv::checkpoint c = kv::checkpoint_of(bucket_id, now);
        int64 below = before < newest ? before : newest;
        if (below > c.position)
            below = c.position;
        if (below > 0) {
            removed = remove_below(bucket_id, below, c, now);
            c.history_floor = below - 1 > c.history_floor ? below - 1 : c.history_floor;
            c.changes_floor = below - 1 > c.changes_floor ? below - 1 : c.changes_floor;
            kv::save_checkpoint(bucket_id, c);
        }
        UnregisterSnapshot(now);
    }
    UnregisterSnapshot(snapshot);
    return removed;
}

} // namespace

WEIR_FUNCTION(weir_kv_compact) {
    pg::require_writable("weir.kv_compact()");
    constexpr int before_at = 1;
    std::string_view bucket = kv::bucket_argument(fcinfo, weir::name::level::admin);
    if (PG_ARGISNULL(before_at))
        pg::null_argument("before");
    Snapshot latest = pg::take_snapshot();
    int64 bucket_id = kv::find(bucket, latest);
    UnregisterSnapshot(latest);
    if (bucket_id == 0)
        PG_RETURN_INT64(0);
    pg::lock_key(pg::lock_class::maintenance, 0, bucket_id);
    PG_RETURN_INT64(compact(bucket_id, PG_GETARG_INT64(before_at)));
}
