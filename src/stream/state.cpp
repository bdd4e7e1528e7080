// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/scan.hpp"
#include "stream/best_effort.hpp"
#include "stream/lifetime.hpp"
#include "stream/names.hpp"
#include "stream/state.hpp"

namespace weir::stream {

namespace {

bool has_best_effort_rows(int64 stream_id, Snapshot snapshot) {
    return !RecoveryInProgress() && retained(stream_id, snapshot).any;
}

} // namespace

state state_of(int64 stream_id, Snapshot snapshot) {
    state out{};
    out.there = true;
    out.newest_logged = -1;
    out.close_payload.isnull = true;
    bool ends_dropped = false;
    log::table logged = log::open(log_source, AccessShareLock);
    log::scan s;
    log::begin(s, logged, stream_id, -1, core::greatest, BackwardScanDirection, snapshot);
    if (log::next(s) == log::step::frame) {
        auto m = static_cast<mode>(log::prefix_of<log_prefix>(s)->mode);
        out.newest_logged = s.id;
        ends_dropped = m == mode::dropped;
        out.closed = m == mode::close;
        if (out.closed) {
            Datum payload = slot_getattr(s.slot, log_column::payload, &out.close_payload.isnull);
            if (!out.close_payload.isnull)
                out.close_payload.value = datumCopy(payload, false, -1);
        }
    }
    log::end(s);
    log::close(logged);
    if (is_over(stream_id))
        out.there = false;
    else if (ends_dropped && name::is_entered_as_dropped(stream_id, snapshot))
        out.there = has_best_effort_rows(stream_id, snapshot);
    return out;
}

} // namespace weir::stream
