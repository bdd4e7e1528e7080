// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/queue.hpp"
#include "doorbell/drain.hpp"

namespace weir::doorbell {

namespace {

// A listener that a notification wakes takes about so much of a processor: its
// backend reads the server's queue and sends, its client reads.
constexpr int64 listener_us = 20;
// Counted for each transaction, so that the doorbell takes the less the more the
// transactions need.
constexpr int64 ring_us = 15;

} // namespace

worker::result doorbell_round(int64 &others_us) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    drained d = drain();
    drain_cells(d);
    commit_notifications();
    settle(true);
    if (d.gone)
        return worker::result::gone;
    if (!d.any)
        return worker::result::nothing;
    d.done.held_back = d.held_back;
    others_us = (d.done.sent + d.done.own) * listener_us + d.done.rings * ring_us;
    worker::report_success(d.done);
    return d.held_back || d.busy ? worker::result::not_now : worker::result::done;
}

void put_back_doorbell() { settle(false); }

} // namespace weir::doorbell
