// SPDX-License-Identifier: PostgreSQL
//
// ack() and seek(): moving a subscription's cursor. In the transaction in which the
// events were handled, ack() makes their effects happen exactly once.
//
// Without a position it acknowledges what this transaction has fetched (fetched.hpp), whatever came
// since: two looks at the stream, one to handle and one to acknowledge, may see different ends of it.
//
// An ack goes forward only, and never past what is not settled: what lies behind a
// frame in flight could otherwise be lost. One to a position reads the frames that it
// passes, so that the count of what is left stays exact.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "name/access.hpp"
#include "outbox/cursor.hpp"
#include "outbox/fetched.hpp"
#include "outbox/retention.hpp"
#include "outbox/start.hpp"
#include "outbox/subscription.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"
#include "stream/ahead.hpp"
#include "stream/reader.hpp"
#include "stream/names.hpp"
#include "stream/trimmed.hpp"

namespace core = weir::core;
namespace log_ = weir::log;
namespace name = weir::name;
namespace outbox = weir::outbox;
namespace pg = weir::pg;
namespace stream = weir::stream;

namespace {

// One that is named has to be of the subscription.
std::string_view named_stream(FunctionCallInfo fcinfo, int n, outbox::subscription const &sub) {
    std::string_view name = pg::view_of(sub.name), stream = pg::view_of(PG_GETARG_DATUM(n));
    name::require(sub.owner, name::level::read, stream);
    if (!outbox::covers(sub, stream))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("stream \"%.*s\" is not one of subscription \"%.*s\"", pg::shown(stream), stream.data(),
                               pg::shown(name), name.data())));
    return stream;
}

// The one that is meant: by its name, or since the subscription has but one.
std::string_view stream_argument(FunctionCallInfo fcinfo, int n, outbox::subscription const &sub) {
    std::string_view only, name = pg::view_of(sub.name);
    if (!PG_ARGISNULL(n))
        return named_stream(fcinfo, n, sub);
    if (!outbox::is_single(sub, &only))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("stream must be given"),
                        errdetail("Subscription \"%.*s\" has more than one, each with a cursor of its own.",
                                  pg::shown(name), name.data()),
                        errhint("Without a position weir.ack() acknowledges what the transaction fetched, in all of "
                                "them.")));
    name::require(sub.owner, name::level::read, only);
    return only;
}

[[noreturn]] void raise_ahead(std::string_view stream, int64 upto, int64 settled) {
    char wanted[core::position_text_size], last[core::position_text_size] = "none";
    core::format_position(upto, wanted);
    if (settled > 0)
        core::format_position(settled, last);
    ereport(ERROR, (errcode(pg::errcode_cursor_ahead),
                    errmsg("position %s is ahead of what is settled in stream \"%.*s\"", wanted, pg::shown(stream),
                           stream.data()),
                    errdetail("The newest position that can be acknowledged is %s.", last),
                    errhint("Acknowledge positions of events that were fetched.")));
    pg_unreachable();
}

// Frames after one position up to another, all of them settled.
int64 count_frames(std::string_view stream, int64 stream_id, int64 after, int64 upto, Snapshot snapshot) {
    stream::reader r;
    int64 frames = 0, last = after;
    stream::open_reader(r, stream_id, after, upto, false, ForwardScanDirection, snapshot);
    while (stream::advance(r)) {
        CHECK_FOR_INTERRUPTS();
        frames += stream::is_frame(*log_::prefix_of<stream::log_prefix>(*r.at));
        last = r.at->id;
    }
    int64 unsettled = r.unsettled;
    stream::close_reader(r);
    if (unsettled >= 0)
        raise_ahead(stream, upto, last);
    if (last < upto && upto > stream::newest_position(stream_id))
        raise_ahead(stream, upto, stream::find_frontier(stream_id, snapshot, false).head);
    return frames;
}

int64 acknowledge(outbox::subscription const &sub, std::string_view stream, int64 upto) {
    Snapshot snapshot = pg::take_snapshot();
    int64 stream_id = stream::find(stream, snapshot);
    if (stream_id == 0 && upto > core::least)
        raise_ahead(stream, upto, -1);
    outbox::cursor c = outbox::find_cursor(sub.id, stream_id, snapshot);
    int64 passed = 0;
    if (upto > c.position) {
        stream::check_not_lost(stream, stream_id, upto, snapshot);
        // Trimmed since they were fetched, they cannot be counted one by one.
        stream::trimmed gone = stream::trimmed_from(stream_id, snapshot);
        int64 behind = c.frames;
        if (c.position < gone.upto && upto >= gone.upto)
            behind = gone.frames;
        behind += count_frames(stream, stream_id, c.position, upto, snapshot);
        outbox::move_cursor(sub.id, stream_id, c, upto, behind);
        passed = behind - c.frames;
    }
    UnregisterSnapshot(snapshot);
    return passed;
}

// What this transaction fetched, in one stream, or in all (of_itself).
int64 acknowledge_fetched(outbox::subscription const &sub, int64 stream_id) {
    std::string_view name = pg::view_of(sub.name);
    if (!outbox::has_fetched(sub.id))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("nothing was fetched from subscription \"%.*s\" in this transaction", pg::shown(name),
                               name.data()),
                        errhint("Fetch, handle and acknowledge in one transaction, each in a statement of its own; or "
                                "give the position up to which events have been handled as upto.")));
    Snapshot snapshot = pg::take_snapshot();
    outbox::fetched_list fetched = outbox::all_fetched(sub.id);
    int64 passed = 0;
    for (int i = 0; i < fetched.count; i++) {
        outbox::fetched const &f = fetched.streams[i];
        if (stream_id != outbox::of_itself && f.stream_id != stream_id)
            continue;
        outbox::cursor c = outbox::find_cursor(sub.id, f.stream_id, snapshot);
        if (f.position <= c.position)
            continue;
        outbox::move_cursor(sub.id, f.stream_id, c, f.position, f.frames);
        passed += f.frames - c.frames;
    }
    UnregisterSnapshot(snapshot);
    outbox::note_ack(sub.id);
    return passed;
}

void seek(outbox::subscription const &sub, int64 stream_id, std::string_view stream, outbox::place const &to,
          bool strict) {
    Snapshot snapshot = pg::take_snapshot();
    outbox::cursor c = outbox::find_cursor(sub.id, stream_id, snapshot);
    outbox::start at = outbox::find_start(stream, stream_id, to, strict, snapshot);
    outbox::move_cursor(sub.id, stream_id, c, at.position, at.frames);
    UnregisterSnapshot(snapshot);
}

} // namespace

WEIR_FUNCTION(weir_ack) {
    enum { name_argument, upto_argument, stream_at };
    pg::require_writable("weir.ack()");
    std::string_view name = outbox::subscription_argument(fcinfo, name_argument);
    outbox::subscription sub;
    outbox::take_subscription(name, sub);
    if (!PG_ARGISNULL(upto_argument))
        PG_RETURN_INT64(acknowledge(sub, stream_argument(fcinfo, stream_at, sub), PG_GETARG_INT64(upto_argument)));
    int64 stream_id = outbox::of_itself;
    if (!PG_ARGISNULL(stream_at)) {
        Snapshot snapshot = pg::take_snapshot();
        stream_id = stream::find(named_stream(fcinfo, stream_at, sub), snapshot);
        UnregisterSnapshot(snapshot);
        if (stream_id == 0)
            PG_RETURN_INT64(0); // not there yet, so nothing of it was fetched
    }
    PG_RETURN_INT64(acknowledge_fetched(sub, stream_id));
}

WEIR_FUNCTION(weir_seek) {
    enum { name_argument, to_argument, stream_at, since_argument };
    pg::require_writable("weir.seek()");
    std::string_view name = outbox::subscription_argument(fcinfo, name_argument);
    if (PG_ARGISNULL(to_argument) && PG_ARGISNULL(since_argument))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("after must not be null"),
                        errhint("Give a position, or a time as since.")));
    outbox::place to = outbox::take_place(fcinfo, to_argument, since_argument, "after", core::least);
    outbox::subscription sub;
    outbox::take_subscription(name, sub);
    if (sub.hold)
        outbox::keep_retention_out();
    Snapshot snapshot = pg::take_snapshot();
    if (!PG_ARGISNULL(stream_at)) {
        std::string_view stream = named_stream(fcinfo, stream_at, sub);
        if (int64 stream_id = stream::find(stream, snapshot)) {
            outbox::forget_fetched(sub.id, stream_id);
            seek(sub, stream_id, stream, to, true);
        }
    } else {
        outbox::forget_fetched(sub.id, outbox::of_itself);
        std::string_view only;
        bool strict = outbox::is_single(sub, &only);
        outbox::covered_streams streams = outbox::streams_of(sub, outbox::lost::refuse, snapshot);
        for (int i = 0; i < streams.count; i++)
            seek(sub, streams.streams[i].stream_id, pg::view_of(streams.streams[i].name), to, strict);
    }
    UnregisterSnapshot(snapshot);
    PG_RETURN_VOID();
}
