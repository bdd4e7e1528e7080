// SPDX-License-Identifier: PostgreSQL
//
// The server's queue of notifications, which all databases share: in a few pages of
// memory, and behind that in files. NOTIFY fails a commit where the queue is full or a
// page cannot be written, and there is no way to try that beforehand. So nothing of
// weir's is handed to NOTIFY while it could fail: the queue is nearly full, the disk
// under it is, or the last try has failed. Then the worker tries, less and less often,
// and as long as it has not succeeded no writer's transaction does.
#pragma once

#include "pg/pg.hpp"

namespace weir::doorbell {

// To the running transaction's NOTIFY.
void hand_over(const char *channel, const char *payload);

// Whether the next one could fail. by_worker: whom a failure costs nothing but itself.
bool could_notify_fail(bool by_worker);

// For the worker: CommitTransactionCommand() of a transaction that has handed something over.
void commit_notifications();

// At the end of a transaction.
void handed_at_end(bool committed);

} // namespace weir::doorbell
