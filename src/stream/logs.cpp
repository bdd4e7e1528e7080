// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/logs.hpp"
#include "stream/logs.hpp"
#include "stream/names.hpp"
#include "stream/reader.hpp"
#include "stream/watch.hpp"

namespace weir::stream {

namespace {

doorbell::unsettled find_unsettled(int64 stream_id, Snapshot snapshot) {
    frontier f = find_frontier(stream_id, snapshot, true);
    return {f.unsettled, f.blocker};
}

bool are_written() {
    return doorbell::is_written_by_others(log_source) || doorbell::is_written_by_others(best_effort_source);
}

} // namespace

void register_streams() {
    name::register_kind(streams);
    name::register_kind(ended_streams);
    doorbell::register_logs({&streams, newest_position, find_unsettled, are_written, look_at});
}

} // namespace weir::stream
