// SPDX-License-Identifier: PostgreSQL
//
// What the view subscriptions is made of: where each one stands in each stream, and
// how much lies before it.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "outbox/cursor.hpp"
#include "outbox/owner.hpp"
#include "outbox/subscription.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"
#include "stream/fold.hpp"
#include "stream/state.hpp"
#include "stream/trimmed.hpp"

namespace core = weir::core;
namespace outbox = weir::outbox;
namespace pg = weir::pg;
namespace stream = weir::stream;

namespace {

enum { name, stream, cursor, lag_frames, lag_seconds, expired, last_seen, streams, types, headers, hold, owner };
constexpr int columns = owner + 1;

struct listing {
    pg::result_set rows;
    Snapshot snapshot;
    MemoryContext memory; // of one subscription
};

struct row {
    Datum values[columns];
    bool nulls[columns];

    void set(int column, Datum value) {
        values[column] = value;
        nulls[column] = false;
    }
};

row begin_row(outbox::subscription const &s) {
    row r{};
    for (bool &null : r.nulls)
        null = true;
    r.set(name, s.name);
    r.set(streams, s.streams);
    r.set(hold, BoolGetDatum(s.hold));
    r.set(owner, ObjectIdGetDatum(s.owner));
    if (!s.types.isnull)
        r.set(types, s.types.value);
    if (!s.headers.isnull)
        r.set(headers, s.headers.value);
    return r;
}

void show_stream(listing &l, outbox::subscription const &s, row &r, outbox::covered_stream const &t, TimestampTz seen) {
    outbox::cursor c = outbox::find_cursor(s.id, t.stream_id, l.snapshot);
    stream::folded now = stream::fold_log(t.stream_id, core::greatest, l.snapshot, stream::want::counts);
    int64 first = stream::first_after(t.stream_id, c.position, l.snapshot), lag = now.frames - c.frames;
    int64 waiting_us = first < 0 ? 0 : weir::log::clock::now_us() - core::ms_of(first) * 1000;
    r.set(stream, t.name);
    r.set(cursor, Int64GetDatum(c.position));
    r.set(lag_frames, Int64GetDatum(lag > 0 ? lag : 0));
    r.set(lag_seconds, Float8GetDatum(waiting_us > 0 ? static_cast<double>(waiting_us) * 1e-6 : 0));
    r.set(expired, BoolGetDatum(c.position < now.trimmed_upto));
    if (c.stored && c.moved_at > seen)
        seen = c.moved_at;
    if (seen != 0)
        r.set(last_seen, TimestampTzGetDatum(seen));
    l.rows.add(r.values, r.nulls);
}

void show(listing &l, outbox::subscription const &s) {
    MemoryContext before = MemoryContextSwitchTo(l.memory);
    row r = begin_row(s);
    TimestampTz seen = outbox::find_cursor(s.id, outbox::of_itself, l.snapshot).moved_at;
    outbox::covered_streams found = outbox::streams_of(s, outbox::lost::leave_out, l.snapshot);
    int shown = 0;
    for (int i = 0; i < found.count; i++) {
        if (!stream::state_of(found.streams[i].stream_id, l.snapshot).there)
            continue; // dropped
        show_stream(l, s, r, found.streams[i], seen);
        shown++;
    }
    if (shown == 0) {
        std::string_view only;
        if (outbox::is_single(s, &only))
            r.set(stream, pg::to_text(only));
        if (seen != 0)
            r.set(last_seen, TimestampTzGetDatum(seen));
        r.set(lag_frames, Int64GetDatum(0));
        r.set(lag_seconds, Float8GetDatum(0));
        r.set(expired, BoolGetDatum(false));
        l.rows.add(r.values, r.nulls);
    }
    MemoryContextSwitchTo(before);
    MemoryContextReset(l.memory);
}

} // namespace

WEIR_FUNCTION(weir_list_subscriptions) {
    std::string_view wanted = outbox::subscription_argument(fcinfo, 0);
    listing l{};
    l.rows = pg::begin_result_set(fcinfo);
    l.memory = AllocSetContextCreate(CurrentMemoryContext, "weir subscription", ALLOCSET_DEFAULT_SIZES);
    l.snapshot = RegisterSnapshot(GetActiveSnapshot());
    outbox::subscription s;
    if (outbox::find_subscription(wanted, l.snapshot, s) && outbox::may_see(s))
        show(l, s);
    UnregisterSnapshot(l.snapshot);
    return Datum{0};
}
