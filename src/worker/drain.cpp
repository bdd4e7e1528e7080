// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/bells.hpp"
#include "doorbell/cells.hpp"
#include "doorbell/marks.hpp"
#include "doorbell/queue.hpp"
#include "stream/announce.hpp"
#include "stream/registry.hpp"
#include "worker/drain.hpp"
#include "worker/shared.hpp"

namespace weir::worker {

namespace {

// With so many failed rounds in a row, whatever makes them fail is not met again:
// those who watch everything are told that anything may have changed.
constexpr int32 most_failures = 3;

doorbell::mark *taken = nullptr;
int64 taken_from = -1; // the least position of what was taken and is not sent; -1: nothing

void note_taken(int64 position) { taken_from = taken_from < 0 || position < taken_from ? position : taken_from; }

// The least position of all that found no room, -1: there was none.
int64 take_look_from() { return static_cast<int64>(pg_atomic_exchange_u64(&own_slot()->look_from, 0)) - 1; }

bool keeps_failing() { return own_slot()->posts[static_cast<int>(kind::doorbell)].failures >= most_failures; }

} // namespace

drained drain() {
    drained out{};
    if (own_slot() == nullptr)
        return out;
    if (taken == nullptr)
        taken = static_cast<doorbell::mark *>(
            MemoryContextAlloc(TopMemoryContext, sizeof(doorbell::mark) * doorbell::most_marks));
    int64 from = take_look_from();
    if (from >= 0)
        note_taken(from);
    int count = doorbell::take_marks(MyDatabaseId, taken, doorbell::most_marks);
    for (int i = 0; i < count; i++) {
        note_taken(taken[i].first);
        out.done.rings += taken[i].rings;
        out.done.coalesced += taken[i].rings - 1;
    }
    doorbell::ring_pending_bells();
    out.any = from >= 0 || count > 0;
    if (doorbell::could_notify_fail(true)) {
        out.held_back = out.any;
        settle(false);
        return out;
    }
    out.gone = !stream::is_there();
    if (out.any && !out.gone) {
        if (from >= 0) {
            out.done.looked = 1;
            if (keeps_failing())
                stream::announce_anything();
            else
                out.done.sent += stream::announce_from(from);
        }
        out.done.sent += stream::announce(taken, count);
    }
    return out;
}

void drain_cells(drained &out) {
    if (own_slot() == nullptr || !doorbell::has_cells(MyDatabaseId))
        return;
    out.any = true;
    out.held_back |= doorbell::could_notify_fail(true);
    out.busy = !out.held_back && !doorbell::become_sender(false);
    if (!out.held_back && !out.busy)
        out.done.own = doorbell::send_cells();
}

void settle(bool committed) {
    if (taken_from >= 0 && !committed)
        look_from(MyDatabaseId, taken_from);
    taken_from = -1;
}

} // namespace weir::worker
