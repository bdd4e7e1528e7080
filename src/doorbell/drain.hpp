// SPDX-License-Identifier: PostgreSQL
//
// Takes what was left for the doorbell's worker and hands it to the NOTIFY of the
// running transaction: the worker's own, or, where no worker can be had, that of
// whoever appends next. What was taken is kept in mind until the transaction has
// ended; if it fails, all of it goes back as "look at everything" from the least
// position in it.
#pragma once

#include "pg/pg.hpp"

#include "worker/worker.hpp"

namespace weir::doorbell {

struct drained {
    bool any;       // there was something
    bool held_back; // but the server's queue of notifications is nearly full
    bool busy;      // a transaction that is about to commit sends what weir.notify() left
    bool gone;      // the extension is
    worker::figures done;
};

drained drain();

// The same for what weir.notify() left, for the worker.
void drain_cells(drained &out);

// The transaction has ended.
void settle(bool committed);

// What the doorbell's worker does in a round, and at an exit in the middle of one.
worker::result doorbell_round(int64 &others_us);
void put_back_doorbell();

} // namespace weir::doorbell
