// SPDX-License-Identifier: PostgreSQL
//
// A round takes the marks first and sends afterwards. If sending fails, all that
// was taken goes back as "look at everything" from the least position in it.
#include "pg/pg.hpp"

#include "doorbell/marks.hpp"
#include "doorbell/notify.hpp"
#include "stream/announce.hpp"
#include "stream/registry.hpp"
#include "worker/post.hpp"
#include "worker/send.hpp"

namespace weir::worker {

namespace {

doorbell::mark *taken = nullptr;
int64 taken_from = -1; // the least position of what was taken and is not sent; -1: nothing

void note_taken(int64 position) { taken_from = taken_from < 0 || position < taken_from ? position : taken_from; }

// The least position of all that found no room, -1: there was none.
int64 take_look_from() { return static_cast<int64>(pg_atomic_exchange_u64(&own_slot()->look_from, 0)) - 1; }

} // namespace

result doorbell_round() {
    if (taken == nullptr)
        taken = static_cast<doorbell::mark *>(
            MemoryContextAlloc(TopMemoryContext, sizeof(doorbell::mark) * doorbell::most_marks));
    if (stream::is_queue_full()) {
        figures held{};
        held.held_back = 1;
        report_success(kind::doorbell, held);
        return result::not_now;
    }
    figures done{};
    int64 from = take_look_from();
    if (from >= 0)
        note_taken(from);
    int count = doorbell::take_marks(MyDatabaseId, taken, doorbell::most_marks);
    for (int i = 0; i < count; i++) {
        note_taken(taken[i].first);
        done.rings += taken[i].rings;
        done.coalesced += taken[i].rings - 1;
    }

    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    bool there = stream::is_there();
    if (there && from >= 0) {
        done.sent += stream::announce_from(from);
        done.looked = 1;
    }
    if (there && count > 0)
        done.sent += stream::announce(taken, count);
    done.own = doorbell::send_cells(MyDatabaseId);
    CommitTransactionCommand();

    taken_from = -1;
    doorbell::cells_sent();
    if (!there)
        return result::gone;
    if (from < 0 && count == 0 && done.own == 0)
        return result::nothing;
    report_success(kind::doorbell, done);
    return result::done;
}

void put_back_doorbell() {
    if (taken_from >= 0)
        look_from(taken_from);
    doorbell::rearm_cells();
}

} // namespace weir::worker
