// SPDX-License-Identifier: PostgreSQL
//
// CALL weir.wait() and weir.wait_many(): asleep until a reader's next read() or fetch() would give
// something, or there is a reason not to wait for it (doorbell/wait.hpp has the loop, stream/watch.hpp a look).
//
// A subscription is waited for with its filter. What that drops is looked at once: the place that the last
// look has come to is kept for each stream, as long as the cursor stays. Its streams are those that are there at each
// look; since one that comes into being has no bell yet, patterns are looked for now and then.
#include "pg/pg.hpp"

#include "core/glob.hpp"
#include "core/position.hpp"
#include "doorbell/logs.hpp"
#include "doorbell/wait.hpp"
#include "name/argument.hpp"
#include "outbox/buffer.hpp"
#include "outbox/cursor.hpp"
#include "outbox/owner.hpp"
#include "outbox/subscription.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/memory.hpp"
#include "pg/text.hpp"
#include "stream/names.hpp"
#include "stream/state.hpp"
#include "stream/trimmed.hpp"
#include "stream/watch.hpp"

namespace name = weir::name;
namespace core = weir::core;
namespace doorbell = weir::doorbell;
namespace outbox = weir::outbox;
namespace pg = weir::pg;
namespace stream = weir::stream;
using doorbell::outlook;

namespace {

constexpr int max_subscriptions = 1000;

// How far a stream has been looked through for a subscription.
struct progress {
    struct {
        int64 subscription_id;
        int64 stream_id;
    } of;
    int64 cursor; // as it stood then
    int64 position;
};

struct waiting_for : doorbell::waiting {
    doorbell::watched *streams;
    int stream_count;
    std::string_view *subscriptions;
    int subscription_count;
    HTAB *looked_through;
    // What the last look found.
    outlook why;
    std::string_view name;
};

// Arguments live as long as the call; the transactions in between take nothing of them.
std::string_view keep(Datum name, const char *what) {
    text *copy = DatumGetTextPCopy(name);
    std::string_view view{VARDATA(copy), VARSIZE(copy) - VARHDRSZ};
    name::check_name(view, what);
    return view;
}

int64 timeout_argument(FunctionCallInfo fcinfo, int n) {
    return pg::duration_argument(fcinfo, n, "timeout", {0, pg::century_us, "from 0 to a hundred years"});
}

progress &progress_of(waiting_for &w, int64 subscription_id, int64 stream_id, int64 cursor) {
    progress key{{subscription_id, stream_id}, 0, 0};
    bool found = false;
    auto *p = static_cast<progress *>(hash_search(w.looked_through, &key.of, HASH_ENTER, &found));
    if (!found || p->cursor != cursor)
        p->cursor = p->position = cursor;
    return *p;
}

struct subscription_look {
    outbox::subscription of;
    stream::filter wanted;
    stream::row_names names;
    int room;
};

outlook look_at_stream(waiting_for &w, subscription_look &l, outbox::covered_stream const &t, Snapshot snapshot) {
    outbox::cursor c = outbox::find_cursor(l.of.id, t.stream_id, snapshot);
    if (c.position < stream::trimmed_from(t.stream_id, snapshot).upto)
        return outlook::expired;
    progress &p = progress_of(w, l.of.id, t.stream_id, c.position);
    outlook found = stream::look_behind(t.stream_id, p.position, &l.wanted, l.names, l.room, snapshot);
    if (found != outlook::nothing)
        return found;
    stream::state now = stream::state_of(t.stream_id, snapshot);
    return now.there && now.closed && now.newest_logged <= p.position ? outlook::closed : outlook::nothing;
}

// Listens for streams that are named, there or not, and for those that a pattern matches now. Whether there are only
// names.
bool listen_for(waiting_for &w, outbox::subscription const &s, outbox::covered_streams const &streams) {
    bool only_names = true;
    for (int i = 0; i < s.pattern_count; i++) {
        std::string_view pattern = pg::view_of(s.patterns[i]);
        if (core::is_glob(pattern)) {
            only_names = false;
        } else {
            doorbell::wake_for(w, name::literal_part(pattern));
        }
    }
    for (int i = 0; i < streams.count; i++)
        doorbell::wake_for(w, pg::view_of(streams.streams[i].name));
    w.polls_often |= !only_names;
    return only_names;
}

outlook look_at_subscription(waiting_for &w, std::string_view name, Snapshot snapshot) {
    subscription_look l{};
    if (!outbox::find_subscription(name, snapshot, l.of))
        outbox::raise_unknown(name);
    outbox::require_owner(l.of);
    l.wanted = outbox::filter_of(l.of);
    l.names = stream::make_row_names();
    l.room = stream::max_looked_at;
    outbox::covered_streams streams = outbox::streams_of(l.of, outbox::lost::refuse, snapshot);
    bool only_names = listen_for(w, l.of, streams);
    int closed = 0;
    bool unfinished = false;
    for (int i = 0; i < streams.count; i++) {
        outlook found = look_at_stream(w, l, streams.streams[i], snapshot);
        if (found == outlook::frames || found == outlook::expired)
            return found;
        closed += found == outlook::closed;
        unfinished |= found == outlook::unfinished;
        if (unfinished)
            break;
    }
    if (unfinished)
        return outlook::unfinished;
    return only_names && streams.count > 0 && closed == l.of.pattern_count ? outlook::closed : outlook::nothing;
}

// Whatever has the name; while nothing has, it may come to be a stream's.
outlook look_at_log(doorbell::watched &l, Snapshot snapshot) {
    char kind = name::kind_of(l.name, snapshot);
    doorbell::logs const *of = doorbell::logs_of(kind == '\0' ? stream::streams.code : kind);
    if (of == nullptr)
        name::require_kind(l.name, kind, stream::streams);
    return of->look(l, snapshot);
}

doorbell::look look_at_all(doorbell::waiting &base, Snapshot snapshot) {
    auto &w = static_cast<waiting_for &>(base);
    bool unfinished = false;
    auto is_over = [&](outlook found, std::string_view name) {
        unfinished |= found == outlook::unfinished;
        if (found == outlook::nothing || found == outlook::unfinished)
            return false;
        w.why = found;
        w.name = name;
        return true;
    };
    for (int i = 0; i < w.stream_count; i++) {
        if (is_over(look_at_log(w.streams[i], snapshot), w.streams[i].name))
            return doorbell::look::found;
    }
    for (int i = 0; i < w.subscription_count; i++) {
        if (is_over(look_at_subscription(w, w.subscriptions[i], snapshot), w.subscriptions[i]))
            return doorbell::look::found;
    }
    return unfinished ? doorbell::look::unfinished : doorbell::look::nothing;
}

void begin(waiting_for &w, int stream_count, int subscription_count) {
    w.at = look_at_all;
    w.streams = pg::palloc_array_of<doorbell::watched>(static_cast<std::size_t>(stream_count));
    w.subscriptions = pg::palloc_array_of<std::string_view>(static_cast<std::size_t>(subscription_count));
    HASHCTL control{};
    control.keysize = sizeof(progress::of);
    control.entrysize = sizeof(progress);
    control.hcxt = CurrentMemoryContext;
    w.looked_through = hash_create("weir looked through", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void add_stream(waiting_for &w, Datum name, int64 after) {
    std::string_view kept = keep(name, "stream name");
    name::require(name::level::read, kept);
    doorbell::wake_for(w, kept);
    w.streams[w.stream_count++] = {kept, after, false};
}

void add_subscription(waiting_for &w, Datum name) {
    w.subscriptions[w.subscription_count++] = keep(name, "subscription name");
}

enum { name_argument, after_argument, timeout_at, subscription_argument };

[[noreturn]] void raise_needed(const char *what) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", what)));
    pg_unreachable();
}

// The columns that both calls return: ready, reason.
bool wait_and_tell(FunctionCallInfo fcinfo, waiting_for &w, Datum *values) {
    int64 timeout_us = timeout_argument(fcinfo, timeout_at);
    doorbell::check_may_wait(fcinfo);
    if (outbox::has_pending())
        doorbell::refuse_to_wait("The transaction has emitted events, which waiting would commit.",
                                 "COMMIT before it, or ROLLBACK.");
    bool over = doorbell::wait(w, timeout_us);
    if (!over)
        w.why = outlook::nothing;
    values[0] = BoolGetDatum(w.why == outlook::frames);
    values[1] = CStringGetTextDatum(doorbell::name_of(w.why));
    return over;
}

} // namespace

WEIR_FUNCTION(weir_wait) {
    waiting_for w{};
    bool named = !PG_ARGISNULL(name_argument);
    if (named == !PG_ARGISNULL(subscription_argument))
        raise_needed("give exactly one of stream and subscription");
    begin(w, 1, 1);
    if (named)
        add_stream(w, PG_GETARG_DATUM(name_argument),
                   PG_ARGISNULL(after_argument) ? -1 : PG_GETARG_INT64(after_argument));
    else if (!PG_ARGISNULL(after_argument))
        raise_needed("after cannot be given with a subscription, which has a cursor of its own");
    else
        add_subscription(w, PG_GETARG_DATUM(subscription_argument));
    Datum values[2];
    bool nulls[2] = {};
    (void)wait_and_tell(fcinfo, w, values);
    return pg::make_row(fcinfo, values, nulls);
}

WEIR_FUNCTION(weir_wait_many) {
    waiting_for w{};
    Datum *names = nullptr;
    name::positions after{};
    int count = 0;
    pg::text_array subscriptions{};
    if (!PG_ARGISNULL(name_argument) || !PG_ARGISNULL(after_argument) || PG_ARGISNULL(subscription_argument))
        count = name::names_argument(fcinfo, &names, after);
    if (!PG_ARGISNULL(subscription_argument))
        subscriptions = pg::text_array_argument(fcinfo, subscription_argument, "subscriptions", max_subscriptions);
    if (count + subscriptions.count == 0)
        raise_needed("streams must not be empty");
    begin(w, count, subscriptions.count);
    for (int i = 0; i < count; i++)
        add_stream(w, names[i], after.at(i, -1));
    for (int i = 0; i < subscriptions.count; i++)
        add_subscription(w, subscriptions.values[i]);
    Datum values[3] = {};
    bool nulls[3] = {};
    nulls[2] = !wait_and_tell(fcinfo, w, values);
    if (!nulls[2])
        values[2] = pg::to_text(w.name);
    return pg::make_row(fcinfo, values, nulls);
}
