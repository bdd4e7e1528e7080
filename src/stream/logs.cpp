// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/logs.hpp"
#include "stream/logs.hpp"
#include "stream/names.hpp"
#include "stream/reader.hpp"

namespace weir::stream {

namespace {

doorbell::unsettled find_unsettled(int64 stream_id, Snapshot snapshot) {
    frontier f = find_frontier(stream_id, snapshot, true);
    return {f.unsettled, f.blocker};
}

bool is_written_by_others(log::source &table) {
    LOCKTAG tag;
    SET_LOCKTAG_RELATION(tag, MyDatabaseId, log::relation_oid(table));
    int count = 0;
    (void)GetLockConflicts(&tag, ShareLock, &count);
    return count > 0;
}

bool are_written() { return is_written_by_others(log_source) || is_written_by_others(best_effort_source); }

} // namespace

void register_streams() {
    name::register_kind(streams);
    doorbell::register_logs({&streams, newest_position, find_unsettled, are_written});
}

} // namespace weir::stream
