// SPDX-License-Identifier: PostgreSQL
//
// stream_info(): what a stream holds, what it ever held, how fast it is written
// and what state it is in, as of the statement's snapshot and settled.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "core/rate.hpp"
#include "log/clock.hpp"
#include "log/scan.hpp"
#include "name/argument.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"
#include "stream/fold.hpp"
#include "stream/properties.hpp"
#include "stream/reader.hpp"
#include "stream/names.hpp"
#include "stream/request.hpp"
#include "stream/state.hpp"

namespace name = weir::name;
namespace clock_ = weir::log::clock;
namespace core = weir::core;
namespace pg = weir::pg;
namespace stream = weir::stream;

namespace {

struct best_effort_figures {
    int64 retained;
    int64 lifetime;
    int64 bytes;
    double rate;
    int32 maxlen;
};

// Best-effort frames are at most K, so they are counted.
best_effort_figures count_best_effort(int64 stream_id, Snapshot snapshot) {
    best_effort_figures out{};
    stream::reader r;
    stream::open_reader(r, stream_id, core::greatest - 1, core::greatest, true, ForwardScanDirection, snapshot);
    if (r.with_best_effort && r.kept.any) {
        weir::log::scan s;
        weir::log::begin(s, r.unlogged_table, stream_id, r.kept.after, core::greatest, ForwardScanDirection, snapshot);
        while (weir::log::next(s) == weir::log::step::frame) {
            if (stream::is_retained(*weir::log::prefix_of<stream::best_effort_prefix>(s), r.kept, r.now_ms)) {
                out.retained++;
                out.bytes += stream::frame_size(s.slot, stream::best_effort_column::type);
            }
        }
        weir::log::end(s);
        stream::best_effort_prefix const &newest = r.kept.newest;
        out.lifetime = stream::ordinal_of(newest);
        out.maxlen = newest.maxlen;
        out.rate = core::rate_at({newest.rate, newest.window_start, newest.window_count}, clock_::now_us(), 0.2);
    }
    stream::close_reader(r);
    return out;
}

// The newest or the first frame of a stream that a reader would be given.
int64 edge_frame(int64 stream_id, int64 upto, ScanDirection direction, Snapshot snapshot) {
    stream::reader r;
    int64 id = -1;
    stream::open_reader(r, stream_id, -1, upto, true, direction, snapshot);
    while (id < 0 && stream::advance(r)) {
        if (stream::is_for_readers(r))
            id = r.at->id;
    }
    stream::close_reader(r);
    return id;
}

NullableDatum reason_of(stream::state const &state) {
    if (state.close_payload.isnull)
        return {Datum{0}, true};
    Jsonb *payload = DatumGetJsonbP(state.close_payload.value);
    JsonbValue value;
    if (getKeyJsonValueFromContainer(&payload->root, "reason", 6, &value) == nullptr || value.type != jbvString)
        return {Datum{0}, true};
    return {pg::to_text({value.val.string.val, static_cast<std::size_t>(value.val.string.len)}), false};
}

} // namespace

WEIR_FUNCTION(weir_stream_info) {
    std::string_view name = name::name_argument(fcinfo, 0, name::level::read);
    pg::result_set rows = pg::begin_result_set(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    int64 stream_id = stream::find(name, snapshot);
    stream::state state{};
    if (stream_id != 0)
        state = stream::state_of(stream_id, snapshot);
    if (state.there) {
        stream::frontier settled = stream::find_frontier(stream_id, snapshot, true);
        stream::folded f = stream::fold_log(stream_id, core::greatest, snapshot, stream::want::counts);
        best_effort_figures best_effort = count_best_effort(stream_id, snapshot);
        int64 first = edge_frame(stream_id, core::greatest, ForwardScanDirection, snapshot);
        int64 last = edge_frame(stream_id, settled.head, BackwardScanDirection, snapshot);
        int64 newest = stream::newest_position(stream_id);
        int64 lead = newest < 0 ? 0 : core::ms_of(newest) - clock_::now_us() / 1000;
        NullableDatum reason = reason_of(state);
        Datum values[] = {PG_GETARG_DATUM(0),
                          Int64GetDatum(first),
                          Int64GetDatum(last),
                          Int64GetDatum(f.frames - f.trimmed_frames + best_effort.retained),
                          Int64GetDatum(f.frames + best_effort.lifetime),
                          Int64GetDatum(f.bytes - f.trimmed_bytes + best_effort.bytes),
                          Int64GetDatum(f.bytes + best_effort.bytes),
                          Int64GetDatum(best_effort.retained),
                          Float8GetDatum(best_effort.rate),
                          Int32GetDatum(best_effort.maxlen),
                          Int64GetDatum(f.version),
                          BoolGetDatum(state.closed),
                          reason.value,
                          Int64GetDatum(lead > 0 ? lead : 0),
                          JsonbPGetDatum(stream::show_properties(stream::properties_of(stream_id)))};
        bool nulls[15] = {};
        nulls[1] = first < 0;
        nulls[2] = last < 0;
        nulls[8] = nulls[9] = best_effort.lifetime == 0;
        nulls[12] = reason.isnull;
        rows.add(values, nulls);
    }
    UnregisterSnapshot(snapshot);
    return Datum{0};
}
