// SPDX-License-Identifier: PostgreSQL
//
// Events that the running transaction has emitted and not yet minted.
//
// They lie in a memory context of the transaction, in the order in which they were
// emitted, each with the subtransaction that it belongs to: one that rolls back
// takes its own along, one that is released hands them up. At commit, after the
// deferred triggers, and at PREPARE TRANSACTION, all of them are written to their
// streams (mint.cpp); so a stream is held by a transaction only while that commits,
// however long it was open.
#pragma once

#include "pg/pg.hpp"

namespace weir::outbox {

struct event {
    SubTransactionId level;
    uint32 order; // of the mint's sorting
    std::string_view stream;
    NullableDatum type;
    NullableDatum headers;
    Datum payload; // jsonb, or bytea
    bool bytes;
};

// Checked arguments; all of it is copied. Raises where the transaction emits more than
// weir.max_emit_bytes, or is committing already.
void add(std::string_view stream, NullableDatum type, Datum payload, NullableDatum headers, bool bytes = false);

struct pending_events {
    event **events;
    std::size_t count;
};

// What there is to mint. Closed to further events until the transaction has ended.
pending_events take_pending();

bool has_pending();

// The transaction has ended: the next one may emit.
void reopen();

void at_end_of_subtransaction(SubXactEvent what, SubTransactionId mine, SubTransactionId parent, void *);

} // namespace weir::outbox
