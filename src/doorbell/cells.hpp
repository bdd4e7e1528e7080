// SPDX-License-Identifier: PostgreSQL
//
// What weir.notify() leaves in shared memory until it is sent: a cell for each text.
//
//   free --enter--> entered --commit--> armed --take--> being sent --commit--> free
//    ^                 |                  ^                 |
//    +----rollback-----+                  +----it failed----+
//
// Order. Arming numbers a cell, and cells are sent in the order of their numbers, by one
// sender of a database at a time, who is that until its transaction has ended: what it
// takes is in the server's queue, or back in the cells, before anybody takes more. A text
// that is armed again before it was sent moves to the end, so of equal ones that wait
// together the last is sent. What a listener hears is therefore what was committed, in
// that order, without some that equal ones follow.
//
// A NOTIFY of the transaction itself comes behind what its session has armed before: it
// becomes the sender and takes that along (send_cells).
#pragma once

#include "pg/pg.hpp"

#include "doorbell/shared.hpp"

namespace weir::doorbell {

// One that a transaction wants sent.
struct notification {
    char *text; // channel, NUL, payload, NUL
    uint64 hash;
    Size length;
    SubTransactionId sub;
    notification *next;
};

bool is_same(notification const &a, notification const &b);
void hand_to_notify(notification const &n);

// Before commit. False: not all of them find room, and none is entered.
bool enter_cells(notification const *list);

// The transaction that entered them has ended. Whether something waits to be sent.
bool leave_cells(bool committed);

bool has_cells(Oid database);
// Whether something that this session has armed may not be in the server's queue yet.
bool has_own_cells();

// Until the transaction ends. Without waiting: false, if somebody else is. Never fails then.
bool become_sender(bool wait);

// For the sender, once in a transaction: hands all that is armed to NOTIFY, but for what is among own, which
// the transaction sends itself, behind the others. How many those were.
int send_cells(notification const *own = nullptr);

// Its transaction, or subtransaction, has ended. Whether something waits to be sent.
bool cells_sent(bool committed);

} // namespace weir::doorbell
