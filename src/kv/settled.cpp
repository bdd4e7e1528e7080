// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/change.hpp"
#include "kv/settled.hpp"
#include "log/clock.hpp"
#include "log/life.hpp"
#include "log/newest.hpp"
#include "log/presence.hpp"
#include "log/scan.hpp"
#include "pg/error.hpp"
#include "pg/text.hpp"

namespace weir::kv {

namespace {

bool is_there(int64 bucket_id, int64 position, Snapshot snapshot) {
    log::table t = log::open(log_source, AccessShareLock);
    log::presence found = log::presence_of(t, bucket_id, position, snapshot);
    log::close(t);
    return found == log::presence::visible || found == log::presence::other;
}

// Whether anything of the bucket lies at or behind it within its life.
bool is_reached(int64 bucket_id, int64 position, int64 upto, Snapshot snapshot) {
    log::table t = log::open(log_source, AccessShareLock);
    log::scan s;
    log::begin(s, t, bucket_id, position - 1, upto, BackwardScanDirection, snapshot, log::purpose::upkeep);
    bool reached = log::next(s) == log::step::frame;
    log::end(s);
    log::close(t);
    return reached;
}

bool is_lost(int64 bucket_id, int64 cursor, checkpoint const &c, Snapshot snapshot) {
    log::life::ending end = log::life::ending_of(cursor);
    if (!end.over || end.best_effort_only)
        return false;
    if (bucket_id == 0)
        return true;
    return cursor > c.position && !is_there(bucket_id, cursor, snapshot) &&
           !is_reached(bucket_id, cursor, end.floor, snapshot);
}

bool is_beyond(int64 bucket_id, int64 cursor) {
    return !RecoveryInProgress() && core::ms_of(cursor) > log::clock::now_us() / 1000 &&
           (bucket_id == 0 || cursor > newest_position(bucket_id));
}

} // namespace

frontier find_frontier(int64 bucket_id, Snapshot snapshot) {
    int64 settled = checkpoint_of(bucket_id, snapshot).position;
    frontier f{settled > 0 ? settled : -1, -1, InvalidTransactionId};
    log::table t = log::open(log_source, AccessShareLock);
    log::scan s;
    log::begin(s, t, bucket_id, settled, core::greatest, ForwardScanDirection, snapshot);
    log::step at = log::next(s);
    for (; at == log::step::frame; at = log::next(s)) {
        CHECK_FOR_INTERRUPTS();
        if (log::prefix_of<prefix>(s)->op != static_cast<char>(op::guard))
            f.head = s.id;
    }
    if (at == log::step::unsettled) {
        f.unsettled = s.id;
        f.blocker = s.blocker;
    }
    log::end(s);
    log::close(t);
    if (f.unsettled >= 0 && f.head >= f.unsettled)
        f.head = f.unsettled - 1;
    return f;
}

int64 newest_position(int64 bucket_id) {
    log::table t = log::open(log_source, AccessShareLock);
    int64 newest = log::newest(t, bucket_id).id;
    log::close(t);
    return newest;
}

void check_cursor(std::string_view bucket, int64 bucket_id, int64 cursor, checkpoint const &c, Snapshot snapshot) {
    if (cursor <= core::least)
        return;
    char shown[core::position_text_size], floor[core::position_text_size];
    core::format_position(cursor, shown);
    if (cursor < c.changes_floor) {
        core::format_position(c.changes_floor, floor);
        ereport(ERROR, (errcode(pg::errcode_cursor_expired),
                        errmsg("cursor %s of \"%.*s\" has expired", shown, pg::shown(bucket), bucket.data()),
                        errdetail("Changes up to %s were removed that nothing later makes up for.", floor),
                        errhint("Watch from the beginning, with after left out, and take what is not delivered for "
                                "deleted.")));
    }
    if (is_lost(bucket_id, cursor, c, snapshot) || is_beyond(bucket_id, cursor))
        ereport(ERROR,
                (errcode(pg::errcode_cursor_ahead),
                 errmsg("cursor %s is ahead of bucket \"%.*s\"", shown, pg::shown(bucket), bucket.data()),
                 errdetail("It is from before a failover, a restore or a crash, or of another server, and the bucket "
                           "does not have it."),
                 errhint("Changes were lost. Watch from the beginning, with after left out, and take what is not "
                         "delivered for deleted.")));
}

} // namespace weir::kv
