// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "doorbell/logs.hpp"
#include "kv/change.hpp"
#include "kv/lifecycle.hpp"
#include "kv/logs.hpp"
#include "kv/names.hpp"
#include "kv/settled.hpp"
#include "log/scan.hpp"

namespace weir::kv {

namespace {

doorbell::unsettled find_unsettled(int64 bucket_id, Snapshot snapshot) {
    frontier f = find_frontier(bucket_id, snapshot);
    return {f.unsettled, f.blocker};
}

bool are_written() { return doorbell::is_written_by_others(log_source); }

doorbell::outlook look(doorbell::watched &w, Snapshot snapshot) {
    using doorbell::outlook;
    bool was_there = w.was_there;
    int64 bucket_id = find(w.name, snapshot);
    w.was_there = bucket_id != 0 && is_there(bucket_id, snapshot);
    if (!w.was_there)
        return was_there || w.after > core::least ? outlook::dropped : outlook::nothing;
    checkpoint c = checkpoint_of(bucket_id, snapshot);
    if (w.after > core::least && w.after < c.changes_floor)
        return outlook::expired;
    outlook found = outlook::nothing;
    log::table t = log::open(log_source, AccessShareLock);
    log::scan s;
    log::begin(s, t, bucket_id, w.after, core::greatest, ForwardScanDirection, snapshot);
    while (found == outlook::nothing && log::next(s) == log::step::frame)
        found = is_change(prefix_of(s.slot)) ? outlook::frames : outlook::nothing;
    log::end(s);
    log::close(t);
    if (found == outlook::nothing)
        check_cursor(w.name, bucket_id, w.after, c, snapshot);
    return found;
}

} // namespace

void register_buckets() {
    name::register_kind(buckets);
    doorbell::register_logs({&buckets, newest_position, find_unsettled, are_written, look});
}

} // namespace weir::kv
