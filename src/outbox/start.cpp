// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "outbox/start.hpp"
#include "stream/ahead.hpp"
#include "stream/fold.hpp"
#include "stream/reader.hpp"
#include "stream/trimmed.hpp"

namespace weir::outbox {

place take_place(FunctionCallInfo fcinfo, int position_argument, int since_argument, const char *called,
                 int64 if_neither) {
    bool has_position = !PG_ARGISNULL(position_argument), has_time = !PG_ARGISNULL(since_argument);
    if (has_position && has_time)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("give only one of %s and since", called)));
    if (has_time) {
        int64 from = core::make(log::clock::first_ms_from(PG_GETARG_TIMESTAMPTZ(since_argument)), 0);
        return {from > core::least ? from - 1 : core::least, true};
    }
    return {has_position ? PG_GETARG_INT64(position_argument) : if_neither, false};
}

start find_start(std::string_view stream, int64 stream_id, place const &to, bool strict, Snapshot snapshot) {
    stream::trimmed gone = stream::trimmed_from(stream_id, snapshot);
    if (to.position == core::least || (to.is_time && to.position <= gone.upto))
        return {gone.upto, gone.frames};
    if (to.position != core::greatest && !to.is_time) {
        if (strict)
            stream::check_not_ahead(stream, stream_id, to.position, snapshot);
        if (to.position < gone.upto)
            stream::raise_expired(stream, stream_id, to.position, -1, gone, snapshot,
                                  "Start at '-', the first that is there.");
    }
    int64 head = stream::find_frontier(stream_id, snapshot, false).head;
    if (head < gone.upto)
        head = gone.upto;
    int64 position = to.position < head ? to.position : head;
    if (position < gone.below)
        return {position, gone.frames};
    return {position, stream::fold_log(stream_id, position, snapshot, stream::want::counts).frames};
}

} // namespace weir::outbox
