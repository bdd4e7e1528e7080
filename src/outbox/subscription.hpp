// SPDX-License-Identifier: PostgreSQL
//
// Named subscriptions: which streams, which of their events, and where a stream is
// begun that the subscription has no cursor in yet.
//
// Who moves a subscription's cursors takes its lock first and keeps it until the
// transaction ends. So consumers that share a name and fetch, handle and acknowledge in one transaction
// take turns and see each event once; those that acknowledge in a later transaction may see it twice.
#pragma once

#include "pg/pg.hpp"

#include "stream/rows.hpp"

namespace weir::outbox {

struct subscription {
    int64 id;
    Datum name;
    Datum streams; // text[]: names and patterns
    Datum *patterns;
    int pattern_count;
    NullableDatum types;
    NullableDatum headers;
    bool hold;
    Oid owner; // a role that may have been dropped
};

// False where there is none of that name. Palloc'd.
bool find_subscription(std::string_view name, Snapshot snapshot, subscription &out);

[[noreturn]] void raise_unknown(std::string_view name);

// The subscription argument: not NULL, not blank, not too long.
std::string_view subscription_argument(FunctionCallInfo fcinfo, int n);

// Locks and finds it; raises where there is none, or where it is another role's. True: somebody
// else had to end first.
bool take_subscription(std::string_view name, subscription &out);

// The same, where there may be none of that name, or it may be another's: whoever takes it looks again.
// Raises at once, and does not wait, where it is another's already.
bool lock_own_subscription(std::string_view name);

// Whosever it is.
void lock_subscription(std::string_view name);

// Every one of them. What take is given, and what it allocates, is good during the call.
void for_each_subscription(Snapshot snapshot, void (*take)(subscription const &, void *context), void *context);

// The frames that it wants.
stream::filter filter_of(subscription const &s);

// The streams that it covers, that are there and that its owner may read. Whoever uses the subscription may do
// what its owner may.
struct covered_stream {
    int64 stream_id;
    Datum name;
};
struct covered_streams {
    covered_stream *streams;
    int count;
};
// What a pattern finds and the owner may not read is left out; a name that it may not read any more is refused, or
// left out as well.
enum class lost { refuse, leave_out };
covered_streams streams_of(subscription const &s, lost names, Snapshot snapshot);

// Whether it is subscribed to one stream by its name, which is returned.
bool is_single(subscription const &s, std::string_view *name);

// By its patterns, whoever may read it.
bool covers(subscription const &s, std::string_view stream);

} // namespace weir::outbox
