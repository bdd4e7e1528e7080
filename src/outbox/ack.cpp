// SPDX-License-Identifier: PostgreSQL
//
// ack() and seek(): moving a subscription's cursor. In the transaction in which the
// events were handled, ack() makes their effects happen exactly once.
//
// An ack goes forward only, and never past what is not settled: what lies behind a
// frame in flight could otherwise be lost. It reads the frames that it passes, so
// that the count of what is left stays exact.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "outbox/cursor.hpp"
#include "outbox/start.hpp"
#include "outbox/subscription.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"
#include "stream/reader.hpp"
#include "stream/registry.hpp"
#include "stream/trimmed.hpp"

namespace core = weir::core;
namespace log_ = weir::log;
namespace outbox = weir::outbox;
namespace pg = weir::pg;
namespace stream = weir::stream;

namespace {

// The one topic that is meant: by its name, or since the subscription has but one.
std::string_view topic_argument(FunctionCallInfo fcinfo, int n, outbox::subscription const &sub) {
    std::string_view only, name = pg::view_of(sub.name);
    bool single = outbox::is_single(sub, &only);
    if (PG_ARGISNULL(n)) {
        if (!single)
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("topic must be given"),
                            errdetail("Subscription \"%.*s\" has more than one, each with a cursor of its own.",
                                      pg::shown(name), name.data()),
                            errhint("Events are fetched with their topic.")));
        return only;
    }
    std::string_view topic = pg::view_of(PG_GETARG_DATUM(n));
    if (!outbox::covers(sub, topic))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("topic \"%.*s\" is not one of subscription \"%.*s\"", pg::shown(topic), topic.data(),
                               pg::shown(name), name.data())));
    return topic;
}

[[noreturn]] void raise_ahead(std::string_view topic, int64 upto, int64 settled) {
    char wanted[core::position_text_size], last[core::position_text_size] = "none";
    core::format_position(upto, wanted);
    if (settled > 0)
        core::format_position(settled, last);
    ereport(ERROR, (errcode(pg::errcode_cursor_ahead),
                    errmsg("position %s is ahead of what is settled in topic \"%.*s\"", wanted, pg::shown(topic),
                           topic.data()),
                    errdetail("The newest position that can be acknowledged is %s.", last),
                    errhint("Acknowledge positions of events that were fetched.")));
    pg_unreachable();
}

// Frames after one position up to another, all of them settled.
int64 count_frames(std::string_view topic, int64 stream_id, int64 after, int64 upto, Snapshot snapshot) {
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
        raise_ahead(topic, upto, last);
    if (last < upto && upto > stream::newest_position(stream_id))
        raise_ahead(topic, upto, stream::find_frontier(stream_id, snapshot, false).head);
    return frames;
}

int64 acknowledge(outbox::subscription const &sub, std::string_view topic, int64 upto) {
    Snapshot snapshot = pg::take_snapshot();
    int64 stream_id = stream::find(topic, snapshot);
    if (stream_id == 0 && upto > core::least)
        raise_ahead(topic, upto, -1);
    outbox::cursor c = outbox::find_cursor(sub.id, stream_id, snapshot);
    int64 passed = 0;
    if (upto > c.position) {
        // Trimmed since they were fetched, they cannot be counted one by one.
        stream::trimmed gone = stream::trimmed_from(stream_id, snapshot);
        int64 behind = c.frames;
        if (c.position < gone.upto && upto >= gone.upto)
            behind = gone.frames;
        behind += count_frames(topic, stream_id, c.position, upto, snapshot);
        outbox::move_cursor(sub.id, stream_id, c, upto, behind);
        passed = behind - c.frames;
    }
    UnregisterSnapshot(snapshot);
    return passed;
}

void seek(outbox::subscription const &sub, int64 stream_id, std::string_view topic, outbox::place const &to,
          bool strict) {
    Snapshot snapshot = pg::take_snapshot();
    outbox::cursor c = outbox::find_cursor(sub.id, stream_id, snapshot);
    outbox::start at = outbox::find_start(topic, stream_id, to, strict, snapshot);
    outbox::move_cursor(sub.id, stream_id, c, at.position, at.frames);
    UnregisterSnapshot(snapshot);
}

} // namespace

WEIR_FUNCTION(weir_ack) {
    enum { name_argument, upto_argument, topic_at };
    pg::require_writable("weir.ack()");
    std::string_view name = outbox::subscription_argument(fcinfo, name_argument);
    if (PG_ARGISNULL(upto_argument))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("upto must not be null")));
    outbox::subscription sub;
    outbox::take_subscription(name, sub);
    PG_RETURN_INT64(acknowledge(sub, topic_argument(fcinfo, topic_at, sub), PG_GETARG_INT64(upto_argument)));
}

WEIR_FUNCTION(weir_seek) {
    enum { name_argument, to_argument, topic_at, since_argument };
    pg::require_writable("weir.seek()");
    std::string_view name = outbox::subscription_argument(fcinfo, name_argument);
    if (PG_ARGISNULL(to_argument) && PG_ARGISNULL(since_argument))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("position must not be null"),
                        errhint("Give a position, or a time as since.")));
    outbox::place to = outbox::take_place(fcinfo, to_argument, since_argument, "position", core::least);
    outbox::subscription sub;
    outbox::take_subscription(name, sub);
    Snapshot snapshot = pg::take_snapshot();
    if (!PG_ARGISNULL(topic_at)) {
        std::string_view topic = topic_argument(fcinfo, topic_at, sub);
        if (int64 stream_id = stream::find(topic, snapshot))
            seek(sub, stream_id, topic, to, true);
    } else {
        std::string_view only;
        bool strict = outbox::is_single(sub, &only);
        outbox::topic_list topics = outbox::topics_of(sub, snapshot);
        for (int i = 0; i < topics.count; i++)
            seek(sub, topics.topics[i].stream_id, pg::view_of(topics.topics[i].name), to, strict);
    }
    UnregisterSnapshot(snapshot);
    PG_RETURN_VOID();
}
