// SPDX-License-Identifier: PostgreSQL
//
// read(), read_many() and head(). The snapshot is the statement's: what one
// statement reads from a stream and from tables agrees.
//
// A bookmark, the last row of a read that asks for one, is the position up to which everything settled was
// looked at: that of the last row passed, whether it was wanted or not. It is never derived from what is not settled,
// above which positions may yet appear, nor from the head, which another snapshot would see elsewhere. With it a reader
// has a way on, so such a call may stop after so many rows. One without looks on to the end, as no rows would else say
// that there are none.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "name/argument.hpp"
#include "pg/argument.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"
#include "pg/memory.hpp"
#include "pg/text.hpp"
#include "stream/ahead.hpp"
#include "stream/lifetime.hpp"
#include "stream/reader.hpp"
#include "stream/names.hpp"
#include "stream/request.hpp"
#include "stream/rows.hpp"
#include "stream/trimmed.hpp"

namespace name = weir::name;
namespace core = weir::core;
namespace pg = weir::pg;
namespace stream = weir::stream;
using stream::filter;

namespace {

constexpr int hard_cap = 10000;        // rows of one call
constexpr int most_looked_at = 100000; // with a bookmark
constexpr int least_looked_at = 1000;  // of each of several streams

struct output {
    pg::result_set rows;
    stream::row_names names;
};

output begin_output(FunctionCallInfo fcinfo) {
    output out{};
    out.rows = pg::begin_result_set(fcinfo);
    out.names = stream::make_row_names();
    return out;
}

int bounded_max(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("max must not be null")));
    int max = PG_GETARG_INT32(n);
    if (max < 1 || max > hard_cap)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max is out of range"),
                        errdetail("It must be from 1 to %d.", hard_cap)));
    return max;
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
    bool best_effort = visibility_argument(fcinfo, visibility);
    filter f = stream::take_filter(fcinfo, types, headers);
    f.best_effort = best_effort;
    return f;
}

// Adds the current row if it is wanted.
bool emit(output &out, stream::reader &r, filter const &f) {
    stream::stored_row found;
    if (!stream::find_wanted(out.names, r, f, found))
        return false;
    stream::frame_row row;
    stream::shape_row(out.names, found, row);
    out.rows.add(row.values, row.nulls);
    return true;
}

struct bounds {
    int64 after;
    int64 upto;
    int max;
    int room; // rows to look at
};

// How far a read has come.
struct progress {
    int64 passed; // the last row that was looked at, or the cursor
    bool more;    // it stopped before the end
};

// Returns how many rows there were.
int read_stream(output &out, int64 stream_id, bounds b, filter const &f, ScanDirection direction, Snapshot snapshot,
                progress &p) {
    stream::reader r;
    int rows = 0;
    MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "weir frame", ALLOCSET_DEFAULT_SIZES);
    stream::open_reader(r, stream_id, b.after, b.upto, f.best_effort, direction, snapshot);
    while (rows < b.max && b.room-- > 0 && stream::advance(r)) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext before = MemoryContextSwitchTo(per_row);
        p.passed = r.at->id;
        rows += emit(out, r, f);
        MemoryContextSwitchTo(before);
        MemoryContextReset(per_row);
    }
    p.more = r.at != nullptr;
    stream::close_reader(r);
    MemoryContextDelete(per_row);
    return rows;
}

// A reader that goes on from its cursor is told of what it missed; one that begins is not.
void check_not_expired(std::string_view name, int64 stream_id, int64 after, Snapshot snapshot) {
    if (after <= core::least)
        return;
    stream::trimmed gone = stream::trimmed_from(stream_id, snapshot);
    if (after < gone.upto)
        stream::raise_expired(name, stream_id, after, -1, gone, snapshot,
                              "Read from '-', the first that is there, or from a point in time with since.");
}

progress begin_at(int64 cursor) { return {cursor < core::least ? core::least : cursor, false}; }

void add_bookmark(output &out, progress const &p) {
    stream::frame_row row;
    stream::shape_bookmark(out.names, p.passed, p.more, row);
    out.rows.add(row.values, row.nulls);
}

bool bookmark_argument(FunctionCallInfo fcinfo, int n) {
    if (PG_ARGISNULL(n))
        pg::null_argument("bookmark");
    return PG_GETARG_BOOL(n);
}

int64 position_argument(FunctionCallInfo fcinfo, int n, int64 if_null) {
    return PG_ARGISNULL(n) ? if_null : PG_GETARG_INT64(n);
}

} // namespace

WEIR_FUNCTION(weir_read) {
    enum {
        stream_argument,
        after_argument,
        upto_argument,
        max_argument,
        visibility,
        types,
        headers,
        reverse,
        since,
        bookmark_at
    };
    std::string_view name = name::name_argument(fcinfo, stream_argument, name::level::read);
    int max = bounded_max(fcinfo, max_argument);
    filter f = filter_arguments(fcinfo, visibility, types, headers);
    if (PG_ARGISNULL(reverse))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("reverse must not be null")));
    bool backward = PG_GETARG_BOOL(reverse), bookmark = bookmark_argument(fcinfo, bookmark_at);
    if (backward && bookmark)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a reverse read has no bookmark")));
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
    progress p = begin_at(cursor);
    if (int64 stream_id = stream::find_living(name, snapshot)) {
        if (backward) {
            int64 unsettled = stream::find_frontier(stream_id, snapshot, f.best_effort).unsettled;
            if (unsettled >= 0 && unsettled <= upto)
                upto = unsettled - 1;
        } else {
            check_not_expired(name, stream_id, cursor, snapshot);
            stream::check_not_lost(name, stream_id, cursor, snapshot);
        }
        int rows = read_stream(out, stream_id, {after, upto, max, bookmark ? most_looked_at : INT_MAX}, f,
                               backward ? BackwardScanDirection : ForwardScanDirection, snapshot, p);
        if (rows == 0)
            stream::check_not_ahead(name, stream_id, cursor, snapshot);
    } else {
        stream::check_not_lost(name, 0, cursor, snapshot);
    }
    if (bookmark)
        add_bookmark(out, p);
    UnregisterSnapshot(snapshot);
    return Datum{0};
}

WEIR_FUNCTION(weir_read_many) {
    enum { streams_argument, after_argument, max_argument, visibility, types, headers, bookmark_at };
    static_assert(streams_argument == 0 && after_argument == 1);
    Datum *names = nullptr, *cursors = nullptr;
    bool *cursor_nulls = nullptr;
    int count = name::names_argument(fcinfo, &names, &cursors, &cursor_nulls);
    int max = bounded_max(fcinfo, max_argument);
    filter f = filter_arguments(fcinfo, visibility, types, headers);
    bool bookmark = bookmark_argument(fcinfo, bookmark_at);
    int room = bookmark ? most_looked_at : INT_MAX;
    if (count > 0 && max > hard_cap / count)
        max = hard_cap / count;
    if (count > 1 && bookmark)
        room = most_looked_at / count > least_looked_at ? most_looked_at / count : least_looked_at;

    output out = begin_output(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    for (int i = 0; i < count; i++) {
        std::string_view name = pg::view_of(names[i]);
        int64 after = cursors == nullptr || cursor_nulls[i] ? -1 : DatumGetInt64(cursors[i]);
        progress p = begin_at(after);
        out.names.stream = {names[i], false};
        if (int64 stream_id = stream::find_living(name, snapshot)) {
            check_not_expired(name, stream_id, after, snapshot);
            stream::check_not_lost(name, stream_id, after, snapshot);
            if (read_stream(out, stream_id, {after, core::greatest, max, room}, f, ForwardScanDirection, snapshot, p) ==
                0)
                stream::check_not_ahead(name, stream_id, after, snapshot);
        } else {
            stream::check_not_lost(name, 0, after, snapshot);
        }
        if (bookmark)
            add_bookmark(out, p);
    }
    UnregisterSnapshot(snapshot);
    return Datum{0};
}

WEIR_FUNCTION(weir_head) {
    std::string_view name = name::name_argument(fcinfo, 0, name::level::read);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    int64 head = core::least;
    if (int64 stream_id = stream::find_living(name, snapshot)) {
        int64 found = stream::find_frontier(stream_id, snapshot, true).head;
        head = found < 0 ? core::least : found;
    }
    UnregisterSnapshot(snapshot);
    PG_RETURN_INT64(head);
}
