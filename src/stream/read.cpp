// SPDX-License-Identifier: PostgreSQL
//
// read(), read_many() and head(). The snapshot is the statement's: what one
// statement reads from a stream and from tables agrees.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"
#include "pg/memory.hpp"
#include "pg/text.hpp"
#include "stream/reader.hpp"
#include "stream/registry.hpp"
#include "stream/request.hpp"

namespace core = weir::core;
namespace pg = weir::pg;
namespace stream = weir::stream;

namespace {

constexpr int hard_cap = 10000; // rows of one call

// Which frames are wanted. A close mark passes every filter: a tail has to learn
// of the end.
struct filter {
    bool best_effort;
    int type_count; // -1: any
    Datum *types;
    bool *type_nulls;
    NullableDatum headers;
};

struct output {
    pg::result_set rows;
    NullableDatum stream; // first column of read_many()
    Datum mode_names[4];
};
enum { durable_name, summary_name, best_effort_name, close_name };

output begin_output(FunctionCallInfo fcinfo) {
    output out{};
    out.rows = pg::begin_result_set(fcinfo);
    out.stream.isnull = true;
    out.mode_names[durable_name] = CStringGetTextDatum("durable");
    out.mode_names[summary_name] = CStringGetTextDatum("summary");
    out.mode_names[best_effort_name] = CStringGetTextDatum("best_effort");
    out.mode_names[close_name] = CStringGetTextDatum("close");
    return out;
}

int max_frames_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("max_frames must not be null")));
    int max_frames = PG_GETARG_INT32(n);
    if (max_frames < 1 || max_frames > hard_cap)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_frames is out of range"),
                        errdetail("It must be from 1 to %d.", hard_cap)));
    return max_frames;
}

bool visibility_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("visibility must not be null")));
    std::string_view visibility = pg::view_of(PG_GETARG_DATUM(n));
    if (visibility == "all")
        return true;
    if (visibility != "exclude_best_effort")
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("unknown visibility \"%.*s\"", pg::shown(visibility), visibility.data()),
                        errhint("It is all or exclude_best_effort.")));
    return false;
}

filter filter_arguments(FunctionCallInfo fcinfo, int visibility, int types, int headers) {
    filter f{};
    f.best_effort = visibility_argument(fcinfo, visibility);
    f.type_count = -1;
    if (!PG_ARGISNULL(types))
        deconstruct_array(PG_GETARG_ARRAYTYPE_P(types), TEXTOID, -1, false, TYPALIGN_INT, &f.types, &f.type_nulls,
                          &f.type_count);
    f.headers.isnull = PG_ARGISNULL(headers);
    if (!f.headers.isnull) {
        Jsonb *wanted = PG_GETARG_JSONB_P(headers);
        if (!JB_ROOT_IS_OBJECT(wanted))
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("headers must be a JSON object")));
        f.headers.value = PointerGetDatum(wanted);
    }
    return f;
}

bool is_of_type(filter const &f, NullableDatum const &type) {
    if (f.type_count < 0)
        return true;
    if (type.isnull)
        return false;
    std::string_view is = pg::view_of(type.value);
    for (int i = 0; i < f.type_count; i++) {
        if (!f.type_nulls[i] && pg::view_of(f.types[i]) == is)
            return true;
    }
    return false;
}

bool passes(filter const &f, NullableDatum const &type, NullableDatum const &headers) {
    if (!is_of_type(f, type))
        return false;
    return f.headers.isnull ||
           (!headers.isnull && DatumGetBool(DirectFunctionCall2(jsonb_contains, headers.value, f.headers.value)));
}

// A column of a row that has been taken apart. Out-of-line values are fetched while
// the snapshot that keeps them is held.
NullableDatum column(TupleTableSlot *slot, int n) {
    NullableDatum d{slot->tts_values[n - 1], slot->tts_isnull[n - 1]};
    if (!d.isnull && VARATT_IS_EXTERNAL(DatumGetPointer(d.value)))
        d.value = PointerGetDatum(PG_DETOAST_DATUM(d.value));
    return d;
}

Datum mode_of(output const &out, stream::reader const &r) {
    if (r.best_effort)
        return out.mode_names[best_effort_name];
    switch (static_cast<stream::mode>(weir::log::prefix_of<stream::log_prefix>(*r.at)->mode)) {
    case stream::mode::summary:
        return out.mode_names[summary_name];
    case stream::mode::close:
        return out.mode_names[close_name];
    default:
        return out.mode_names[durable_name];
    }
}

// Adds the current row if it is wanted.
bool emit(output &out, stream::reader &r, filter const &f) {
    if (!stream::is_for_readers(r))
        return false;
    TupleTableSlot *slot = r.at->slot;
    int first =
        r.best_effort ? static_cast<int>(stream::live_column::type) : static_cast<int>(stream::log_column::type);
    slot_getallattrs(slot);
    Datum mode = mode_of(out, r);
    NullableDatum type = column(slot, first), headers = column(slot, first + 3);
    if (mode != out.mode_names[close_name] && !passes(f, type, headers))
        return false;
    NullableDatum payload = column(slot, first + 1), bytes = column(slot, first + 2);

    Datum values[8];
    bool nulls[8] = {};
    int n = 0;
    auto put = [&](NullableDatum const &d) {
        values[n] = d.value;
        nulls[n++] = d.isnull;
    };
    if (!out.stream.isnull)
        put(out.stream);
    put({Int64GetDatum(r.at->id), false});
    put({TimestampTzGetDatum(weir::log::clock::to_timestamptz(r.at->id)), false});
    put({mode, false});
    put(type);
    put(payload);
    put(bytes);
    put(headers);
    out.rows.add(values, nulls);
    return true;
}

int read_stream(output &out, int64 stream_id, int64 after, int64 upto, int max_frames, filter const &f,
                ScanDirection direction, Snapshot snapshot) {
    stream::reader r;
    int rows = 0;
    MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "weir frame", ALLOCSET_DEFAULT_SIZES);
    stream::open_reader(r, stream_id, after, upto, f.best_effort, direction, snapshot);
    while (rows < max_frames && stream::advance(r)) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext before = MemoryContextSwitchTo(per_row);
        rows += emit(out, r, f);
        MemoryContextSwitchTo(before);
        MemoryContextReset(per_row);
    }
    stream::close_reader(r);
    MemoryContextDelete(per_row);
    return rows;
}

int64 position_argument(FunctionCallInfo fcinfo, int n, int64 if_null) {
    return PG_ARGISNULL(n) ? if_null : PG_GETARG_INT64(n);
}

} // namespace

WEIR_FUNCTION(weir_read) {
    enum { stream_argument, after_argument, upto_argument, max_argument, visibility, types, headers, reverse, since };
    std::string_view name = stream::name_argument(fcinfo, stream_argument);
    int max_frames = max_frames_argument(fcinfo, max_argument);
    filter f = filter_arguments(fcinfo, visibility, types, headers);
    if (PG_ARGISNULL(reverse))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("reverse must not be null")));
    bool backward = PG_GETARG_BOOL(reverse);
    int64 cursor = position_argument(fcinfo, after_argument, -1);
    int64 upto = position_argument(fcinfo, upto_argument, core::greatest);
    int64 after = cursor;
    if (!PG_ARGISNULL(since)) {
        TimestampTz from = PG_GETARG_TIMESTAMPTZ(since);
        int64 bound = core::make(weir::log::clock::first_ms_from(from), 0) - 1;
        after = bound > after ? bound : after;
    }

    output out = begin_output(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    if (int64 stream_id = stream::find(name, snapshot)) {
        if (backward) {
            int64 unsettled = stream::find_frontier(stream_id, snapshot, f.best_effort).unsettled;
            if (unsettled >= 0 && unsettled <= upto)
                upto = unsettled - 1;
        }
        int rows = read_stream(out, stream_id, after, upto, max_frames, f,
                               backward ? BackwardScanDirection : ForwardScanDirection, snapshot);
        if (rows == 0)
            stream::check_not_ahead(name, stream_id, cursor);
    }
    UnregisterSnapshot(snapshot);
    return Datum{0};
}

WEIR_FUNCTION(weir_read_many) {
    enum { streams_argument, after_argument, max_argument, visibility, types, headers };
    static_assert(streams_argument == 0 && after_argument == 1);
    Datum *names = nullptr, *cursors = nullptr;
    bool *cursor_nulls = nullptr;
    int count = stream::stream_array_arguments(fcinfo, &names, &cursors, &cursor_nulls);
    int max_frames = max_frames_argument(fcinfo, max_argument);
    filter f = filter_arguments(fcinfo, visibility, types, headers);
    if (count > 0 && max_frames > hard_cap / count)
        max_frames = hard_cap / count;

    output out = begin_output(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    for (int i = 0; i < count; i++) {
        std::string_view name = pg::view_of(names[i]);
        int64 after = cursors == nullptr || cursor_nulls[i] ? -1 : DatumGetInt64(cursors[i]);
        out.stream = {names[i], false};
        if (int64 stream_id = stream::find(name, snapshot)) {
            if (read_stream(out, stream_id, after, core::greatest, max_frames, f, ForwardScanDirection, snapshot) == 0)
                stream::check_not_ahead(name, stream_id, after);
        }
    }
    UnregisterSnapshot(snapshot);
    return Datum{0};
}

WEIR_FUNCTION(weir_head) {
    std::string_view name = stream::name_argument(fcinfo, 0);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    int64 head = core::least;
    if (int64 stream_id = stream::find(name, snapshot)) {
        int64 found = stream::find_frontier(stream_id, snapshot, true).head;
        head = found < 0 ? core::least : found;
    }
    UnregisterSnapshot(snapshot);
    PG_RETURN_INT64(head);
}
