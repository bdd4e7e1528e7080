// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/writer.hpp"
#include "pg/text.hpp"

namespace weir::log {

status status_of(TransactionId xid) {
    if (!TransactionIdIsNormal(xid) || TransactionIdIsCurrentTransactionId(xid))
        return status::committed;
    if (TransactionIdIsInProgress(xid))
        return status::in_progress;
    return TransactionIdDidCommit(xid) ? status::committed : status::aborted;
}

bool assign_position(int64 key, std::string_view name, judgement const &j, last_assigned const &known, int count,
                     assigned &out, int64 &wanted_ms) {
    int64 now_ms = out.now_us / 1000;
    int64 own = known.exact && known.position > j.newest ? known.position : j.newest;
    int64 last = known.position > own ? known.position : own;
    if (own < 0) {
        last = greatest_assigned();
        own = j.above;
        last = own > last ? own : last;
    }
    bool ahead_alone = own > known.common && own > clock::floor() && core::ms_of(own) > now_ms;
    out.first = core::mint(last, now_ms, clock::floor(), count);
    if (out.first < 0) {
        unlock(key);
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("no position is left in \"%.*s\"", pg::shown(name), name.data())));
    }
    int64 last_id = out.first + count - 1;
    wanted_ms = core::ms_of(last_id);
    if (clock::covers(wanted_ms)) {
        remember(key, last_id, ahead_alone, j.control_record);
        return true;
    }
    unlock(key); // the log is ahead of the clock, or we waited for the lock for long
    return false;
}

} // namespace weir::log
