// SPDX-License-Identifier: PostgreSQL
//
// A stream that is dropped takes the cursors in it along: if its name is used
// again, its subscriptions begin that one at its beginning.
#include "pg/pg.hpp"

#include "outbox/cursor.hpp"
#include "outbox/hooks.hpp"
#include "outbox/retention.hpp"
#include "outbox/subscription.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"
#include "stream/hooks.hpp"
#include "stream/names.hpp"

namespace weir::outbox {

namespace {

struct dropping {
    int64 stream_id;
    std::string_view stream;
    Snapshot snapshot;
};

void drop_cursor(subscription const &s, void *context) {
    auto const &d = *static_cast<dropping *>(context);
    // One that covers the stream may be about to store its first cursor there.
    if (!covers(s, d.stream) && !find_cursor(s.id, d.stream_id, d.snapshot).stored)
        return;
    lock_subscription(pg::view_of(s.name));
    Snapshot now = pg::take_snapshot(); // its consumer may have moved it until now
    remove_cursor(find_cursor(s.id, d.stream_id, now));
    UnregisterSnapshot(now);
}

void drop_cursors(int64 stream_id) {
    Snapshot snapshot = pg::take_snapshot();
    // A copy: looking other names up may take that memory away.
    Datum stream = pg::to_text(name::name_of(stream_id, snapshot));
    dropping d{stream_id, pg::view_of(stream), snapshot};
    for_each_subscription(d.snapshot, drop_cursor, &d);
    UnregisterSnapshot(d.snapshot);
}

} // namespace

void listen_to_streams() { stream::set_hooks({ask_for_retention, drop_cursors, ask_for_first_retention}); }

} // namespace weir::outbox
