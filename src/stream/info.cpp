// SPDX-License-Identifier: PostgreSQL
//
// stream_info(): what a stream holds, what it ever held, how fast it is written
// and what state it is in, as of the statement's snapshot and settled.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "core/rate.hpp"
#include "log/clock.hpp"
#include "log/scan.hpp"
#include "pg/function.hpp"
#include "stream/fold.hpp"
#include "stream/reader.hpp"
#include "stream/registry.hpp"
#include "stream/request.hpp"

namespace clock_ = weir::log::clock;
namespace core = weir::core;
namespace pg = weir::pg;
namespace stream = weir::stream;

namespace {

struct live_figures {
    int64 retained;
    int64 lifetime;
    int64 bytes;
    double rate;
    int32 maxlen;
};

// Best-effort frames are at most K, so they are counted.
live_figures count_live(int64 stream_id, Snapshot snapshot) {
    live_figures out{};
    stream::reader r;
    stream::open_reader(r, stream_id, core::greatest - 1, core::greatest, true, ForwardScanDirection, snapshot);
    if (r.with_live && r.kept.any) {
        weir::log::scan s;
        weir::log::begin(s, r.live_table, stream_id, r.kept.after, core::greatest, ForwardScanDirection, snapshot);
        while (weir::log::next(s) == weir::log::step::frame) {
            if (stream::is_retained(*weir::log::prefix_of<stream::live_prefix>(s), r.kept, r.now_ms)) {
                out.retained++;
                out.bytes += stream::frame_size(s.slot, stream::live_column::type);
            }
        }
        weir::log::end(s);
        stream::live_prefix const &newest = r.kept.newest;
        out.lifetime = newest.ordinal;
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

struct ending {
    bool closed;
    bool dropped;
    Datum payload;
    bool payload_null;
};

ending how_it_ends(int64 stream_id, Snapshot snapshot) {
    ending e{};
    weir::log::table logged = weir::log::open(stream::log_source, AccessShareLock);
    weir::log::scan s;
    weir::log::begin(s, logged, stream_id, -1, core::greatest, BackwardScanDirection, snapshot);
    if (weir::log::next(s) == weir::log::step::frame) {
        auto m = static_cast<stream::mode>(weir::log::prefix_of<stream::log_prefix>(s)->mode);
        e.closed = m == stream::mode::close;
        e.dropped = m == stream::mode::dropped;
        Datum payload = slot_getattr(s.slot, stream::log_column::payload, &e.payload_null);
        if (e.closed && !e.payload_null)
            e.payload = datumCopy(payload, false, -1);
    }
    weir::log::end(s);
    weir::log::close(logged);
    return e;
}

NullableDatum reason_of(ending const &e) {
    if (!e.closed || e.payload_null)
        return {Datum{0}, true};
    Jsonb *payload = DatumGetJsonbP(e.payload);
    JsonbValue value;
    if (getKeyJsonValueFromContainer(&payload->root, "reason", 6, &value) == nullptr || value.type != jbvString)
        return {Datum{0}, true};
    return {PointerGetDatum(cstring_to_text_with_len(value.val.string.val, value.val.string.len)), false};
}

} // namespace

WEIR_FUNCTION(weir_stream_info) {
    std::string_view name = stream::name_argument(fcinfo, 0);
    pg::result_set rows = pg::begin_result_set(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    int64 stream_id = stream::find(name, snapshot);
    ending end = stream_id != 0 ? how_it_ends(stream_id, snapshot) : ending{};
    stream::frontier settled = stream_id != 0 ? stream::find_frontier(stream_id, snapshot, true) : stream::frontier{};
    if (stream_id != 0 && (settled.head >= 0 || !end.dropped)) {
        stream::folded f = stream::fold_log(stream_id, core::greatest, snapshot, stream::want::counts);
        live_figures live = count_live(stream_id, snapshot);
        int64 first = edge_frame(stream_id, core::greatest, ForwardScanDirection, snapshot);
        int64 newest = stream::newest_position(stream_id);
        int64 lead = newest < 0 ? 0 : core::ms_of(newest) - clock_::now_us() / 1000;
        NullableDatum reason = reason_of(end);
        Datum values[] = {PG_GETARG_DATUM(0),
                          Int64GetDatum(first),
                          Int64GetDatum(settled.head),
                          Int64GetDatum(f.frames - f.trimmed_frames + live.retained),
                          Int64GetDatum(f.frames + live.lifetime),
                          Int64GetDatum(f.bytes - f.trimmed_bytes + live.bytes),
                          Int64GetDatum(f.bytes + live.bytes),
                          Int64GetDatum(live.retained),
                          Float8GetDatum(live.rate),
                          Int32GetDatum(live.maxlen),
                          Int64GetDatum(f.version),
                          BoolGetDatum(end.closed),
                          reason.value,
                          Int64GetDatum(lead > 0 ? lead : 0)};
        bool nulls[14] = {};
        nulls[1] = first < 0;
        nulls[2] = settled.head < 0;
        nulls[8] = nulls[9] = live.lifetime == 0;
        nulls[12] = reason.isnull;
        rows.add(values, nulls);
    }
    UnregisterSnapshot(snapshot);
    return Datum{0};
}
