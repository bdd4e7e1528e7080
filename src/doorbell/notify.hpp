// SPDX-License-Identifier: PostgreSQL
//
// weir.notify(): a notification on anyone's own channel, sent by the worker after
// commit. The transaction collects what it wants sent; before commit it enters all of it
// in cells of shared memory (cells.hpp), and at commit it arms them. Where not all of it
// finds room, since the cells are taken, a payload is long, or it is more than a
// transaction's share, all goes out by NOTIFY in the transaction itself, behind what its
// session left in cells before: slower, never lost, never out of order.
#pragma once

#include "pg/pg.hpp"

namespace weir::doorbell {

// Both end in NUL. Rolls back with the running subtransaction.
void notify(const char *channel, const char *payload);

// Whether the running transaction has something to send, by notify() or by NOTIFY itself; or has asked to LISTEN.
bool has_notifications();

// At the turns of a transaction (marks.cpp). for_others: it notifies by itself anyway, where the worker should, and
// takes along what waits for that.
void notify_before_commit(bool for_others);
void notify_at_end(bool committed);
void notify_at_savepoint(SubXactEvent event, SubTransactionId sub, SubTransactionId parent);

} // namespace weir::doorbell
