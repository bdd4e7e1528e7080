// SPDX-License-Identifier: PostgreSQL
//
// weir.notify(): a notification on anyone's own channel, sent by the worker after
// commit. The transaction collects what it wants sent; before commit it enters it
// in cells of shared memory, several transactions sharing those of equal text, and
// at commit it arms them. What finds no cell (all taken, or a long payload) goes
// out by NOTIFY in the transaction itself: slower, never lost. That goes, too, for what
// is beyond a transaction's or a database's share of the cells.
#pragma once

#include "pg/pg.hpp"

namespace weir::doorbell {

// Both end in NUL. Rolls back with the running subtransaction.
void notify(const char *channel, const char *payload);

// At the turns of a transaction (marks.cpp).
void notify_before_commit();
void notify_at_end(bool committed);
void notify_at_savepoint(SubXactEvent event, SubTransactionId sub, SubTransactionId parent);

// For whoever sends: hands what is armed for a database to Async_Notify(), and says
// how much that was. Unless that transaction commits, the cells are armed again.
bool has_cells(Oid database);
int send_cells(Oid database);
void cells_sent(bool committed);

} // namespace weir::doorbell
