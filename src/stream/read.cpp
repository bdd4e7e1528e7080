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

constexpr int default_max = 1000;
constexpr int max_looked_at = 100000; // with a bookmark
constexpr int least_looked_at = 1000; // of each of several streams

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

int max_of(FunctionCallInfo fcinfo, int n) { return PG_ARGISNULL(n) ? default_max : pg::max_argument(fcinfo, n); }

bool flag_argument(FunctionCallInfo fcinfo, int n, const char *called) {
    if (PG_ARGISNULL(n))
        pg::null_argument(called);
    return PG_GETARG_BOOL(n);
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

// Of read() and read_many(), in the order of sql/stream.sql.
enum {
    stream_argument,
    after_argument,
    upto_argument,
    max_argument,
    visibility_at,
    types_at,
    headers_at,
    reverse_at,
    since_at,
    bookmark_at
};

struct options {
    filter wanted;
    int max;
    bool is_default_max; // nobody asked for it
    bool backward;
    bool bookmark;
    int64 behind; // since: nothing at or before this position
    int room;     // rows to look at
};

options take_options(FunctionCallInfo fcinfo) {
    options o{};
    o.max = max_of(fcinfo, max_argument);
    o.is_default_max = PG_ARGISNULL(max_argument);
    bool best_effort = visibility_argument(fcinfo, visibility_at);
    o.wanted = stream::take_filter(fcinfo, types_at, headers_at);
    o.wanted.best_effort = best_effort;
    o.backward = flag_argument(fcinfo, reverse_at, "reverse");
    o.bookmark = flag_argument(fcinfo, bookmark_at, "bookmark");
    if (o.backward && o.bookmark)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a reverse read has no bookmark")));
    o.behind = PG_ARGISNULL(since_at)
                   ? -1
                   : core::make(weir::log::clock::first_ms_from(PG_GETARG_TIMESTAMPTZ(since_at)), 0) - 1;
    o.room = o.bookmark ? max_looked_at : INT_MAX;
    return o;
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

// How far a read has come.
struct progress {
    int64 passed; // the last row that was looked at, or the cursor
    bool more;    // it stopped before the end
    bool cut;     // by a max that nobody asked for, with rows behind it
};

// Returns how many rows there were.
int read_rows(output &out, int64 stream_id, int64 after, int64 upto, options const &o, Snapshot snapshot, progress &p) {
    stream::reader r;
    int rows = 0, room = o.room;
    MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "weir frame", ALLOCSET_DEFAULT_SIZES);
    stream::open_reader(r, stream_id, after, upto, o.wanted.best_effort,
                        o.backward ? BackwardScanDirection : ForwardScanDirection, snapshot);
    while (rows < o.max && room-- > 0 && stream::advance(r)) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext before = MemoryContextSwitchTo(per_row);
        p.passed = r.at->id;
        rows += emit(out, r, o.wanted);
        MemoryContextSwitchTo(before);
        MemoryContextReset(per_row);
    }
    p.more = r.at != nullptr;
    // Whether a filter would pass what is there is not asked: that may be far away.
    p.cut = o.is_default_max && !o.bookmark && rows == o.max && stream::advance(r);
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

void add_bookmark(output &out, progress const &p) {
    stream::frame_row row;
    stream::shape_bookmark(out.names, p.passed, p.more, row);
    out.rows.add(row.values, row.nulls);
}

// Of one stream. Returns whether it was cut.
bool read_stream(output &out, std::string_view name, int64 cursor, int64 upto, options const &o, Snapshot snapshot) {
    progress p{cursor < core::least ? core::least : cursor, false, false};
    if (int64 stream_id = stream::find_living(name, snapshot)) {
        if (o.backward) {
            int64 unsettled = stream::find_frontier(stream_id, snapshot, o.wanted.best_effort).unsettled;
            if (unsettled >= 0 && unsettled <= upto)
                upto = unsettled - 1;
        } else {
            check_not_expired(name, stream_id, cursor, snapshot);
            stream::check_not_lost(name, stream_id, cursor, snapshot);
        }
        int64 after = cursor > o.behind ? cursor : o.behind;
        if (read_rows(out, stream_id, after, upto, o, snapshot, p) == 0)
            stream::check_not_ahead(name, stream_id, cursor, snapshot);
    } else {
        stream::check_not_lost(name, 0, cursor, snapshot);
    }
    if (o.bookmark)
        add_bookmark(out, p);
    return p.cut;
}

// Rows are not added for it: who did not think of a max would not look for them.
void say_cut(options const &o, const char *of) {
    ereport(NOTICE, (errmsg("there is more: the read ended after %d frames%s, for no max was given", o.max, of),
                     o.backward ? errhint("Give max, up to %d.", pg::max_rows)
                                : errhint("Go on with after => the last id, or give max, up to %d.", pg::max_rows)));
}

} // namespace

WEIR_FUNCTION(weir_read) {
    std::string_view name = name::name_argument(fcinfo, stream_argument, name::level::read);
    options o = take_options(fcinfo);
    int64 cursor = PG_ARGISNULL(after_argument) ? -1 : PG_GETARG_INT64(after_argument);
    int64 upto = PG_ARGISNULL(upto_argument) ? core::greatest : PG_GETARG_INT64(upto_argument);
    output out = begin_output(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    if (read_stream(out, name, cursor, upto, o, snapshot))
        say_cut(o, "");
    UnregisterSnapshot(snapshot);
    return Datum{0};
}

WEIR_FUNCTION(weir_read_many) {
    static_assert(stream_argument == 0 && after_argument == 1);
    name::positions after{}, upto{};
    Datum *names = nullptr;
    int count = name::names_argument(fcinfo, &names, after);
    name::positions_argument(fcinfo, upto_argument, "upto", count, upto);
    options o = take_options(fcinfo);
    if (count > 0 && o.max > pg::max_rows / count)
        o.max = pg::max_rows / count;
    if (count > 1 && o.bookmark)
        o.room = max_looked_at / count > least_looked_at ? max_looked_at / count : least_looked_at;

    output out = begin_output(fcinfo);
    Snapshot snapshot = RegisterSnapshot(GetActiveSnapshot());
    bool cut = false;
    for (int i = 0; i < count; i++) {
        out.names.stream = {names[i], false};
        cut |= read_stream(out, pg::view_of(names[i]), after.at(i, -1), upto.at(i, core::greatest), o, snapshot);
    }
    if (cut)
        say_cut(o, " of a stream");
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
