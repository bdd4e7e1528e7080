// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/bells.hpp"
#include "doorbell/cells.hpp"
#include "doorbell/marks.hpp"
#include "doorbell/queue.hpp"
#include "doorbell/announce.hpp"
#include "doorbell/drain.hpp"
#include "name/registry.hpp"

namespace weir::doorbell {

namespace {

// With so many failed rounds in a row, whatever makes them fail is not met again:
// those who watch everything are told that anything may have changed.
constexpr int32 max_failures = 3;

mark *taken = nullptr;
int64 taken_from = -1; // the least position of what was taken and is not sent; -1: nothing

void note_taken(int64 position) { taken_from = taken_from < 0 || position < taken_from ? position : taken_from; }

} // namespace

drained drain() {
    drained out{};
    if (!worker::own_status().known)
        return out;
    if (taken == nullptr)
        taken = static_cast<mark *>(MemoryContextAlloc(TopMemoryContext, sizeof(mark) * max_marks));
    int64 from = worker::take_look_from();
    if (from >= 0)
        note_taken(from);
    int count = take_marks(MyDatabaseId, taken, max_marks);
    for (int i = 0; i < count; i++) {
        note_taken(taken[i].first);
        out.done.rings += taken[i].rings;
        out.done.coalesced += taken[i].rings - 1;
    }
    ring_pending_bells();
    out.any = from >= 0 || count > 0;
    if (could_notify_fail(true)) {
        out.held_back = out.any;
        settle(false);
        return out;
    }
    out.gone = !name::is_there();
    if (out.any && !out.gone) {
        if (from >= 0) {
            out.done.looked = 1;
            if (worker::has_failed(max_failures))
                announce_anything();
            else
                out.done.sent += announce_from(from);
        }
        out.done.sent += announce(taken, count);
    }
    return out;
}

void drain_cells(drained &out) {
    if (!worker::own_status().known || !has_cells(MyDatabaseId))
        return;
    out.any = true;
    out.held_back |= could_notify_fail(true);
    out.busy = !out.held_back && !become_sender(false);
    if (!out.held_back && !out.busy)
        out.done.own = send_cells();
}

void settle(bool committed) {
    if (taken_from >= 0 && !committed)
        worker::look_from(MyDatabaseId, taken_from);
    taken_from = -1;
}

} // namespace weir::doorbell
