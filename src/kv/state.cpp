// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/checkpoint.hpp"
#include "kv/names.hpp"
#include "kv/properties.hpp"
#include "kv/request.hpp"
#include "kv/state.hpp"
#include "log/clock.hpp"
#include "pg/error.hpp"
#include "pg/text.hpp"

namespace weir::kv {

namespace {

[[noreturn]] void raise_gone(state const &s, int64 first) {
    char at[core::position_text_size], floor[core::position_text_size];
    core::format_position(s.upto, at);
    core::format_position(first, floor);
    ereport(ERROR, (errcode(pg::errcode_cursor_expired),
                    errmsg("revision %s of \"%.*s\" has expired", at, pg::shown(s.bucket), s.bucket.data()),
                    errdetail("Changes that were superseded up to %s were removed.", floor),
                    errhint("Read as of a later revision, or keep more with the bucket's property history.")));
    pg_unreachable();
}

} // namespace

state begin_state(FunctionCallInfo fcinfo, int revision_at) {
    state s{};
    s.bucket = bucket_argument(fcinfo, name::level::read);
    s.is_past = revision_at >= 0 && !PG_ARGISNULL(revision_at);
    s.upto = s.is_past ? PG_GETARG_INT64(revision_at) : core::greatest;
    s.snapshot = RegisterSnapshot(GetActiveSnapshot());
    s.bucket_id = find(s.bucket, s.snapshot);
    s.at_ms = s.is_past ? core::ms_of(s.upto) : log::clock::now_us() / 1000;
    if (s.is_past && s.bucket_id != 0) {
        s.history_floor = checkpoint_of(s.bucket_id, s.snapshot).history_floor;
        s.history = properties_of(s.bucket_id).integer(property::history);
    }
    return s;
}

void end_state(state &s) { UnregisterSnapshot(s.snapshot); }

void check_kept(state const &s) {
    if (s.is_past && s.upto < s.history_floor)
        raise_gone(s, s.history_floor);
}

namespace {

// From the newest down, for there may be a purge on the way, and the history reaches so far only.
bool find_past(versions &v, state const &s, Datum key) {
    prefix newer{};
    seek(v, s.bucket_id, key, core::greatest, s.snapshot);
    for (int64 n = 1; next_older(v); n++) {
        prefix const &row = prefix_of(v.slot);
        if (row.revision <= s.upto && n <= s.history)
            return is_alive(row, s.at_ms);
        if (row.revision <= s.upto || op_of(row) == op::purge)
            raise_gone(s, row.revision <= s.upto ? newer.revision : row.revision);
        newer = row;
    }
    // Something was there before a key was deleted.
    if (newer.revision > 0 && op_of(newer) != op::put)
        raise_gone(s, newer.revision);
    check_kept(s);
    return false;
}

} // namespace

bool find(versions &v, state const &s, Datum key) {
    if (s.bucket_id == 0)
        return false;
    if (s.is_past)
        return find_past(v, s, key);
    return find_newest(v, s.bucket_id, key, s.upto, s.snapshot) && is_alive(prefix_of(v.slot), s.at_ms);
}

} // namespace weir::kv
