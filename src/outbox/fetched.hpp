// SPDX-License-Identifier: PostgreSQL
//
// What the running transaction has fetched: for ack() without a position, which is to acknowledge exactly
// that and nothing that was committed since.
//
// Kept is a position for each stream in which something was fetched, or passed by the filter, never the events. A
// subtransaction that rolls back forgets its own and one that is released hands them up, as with what was emitted
// (buffer.hpp). It ends with the transaction, so a prepared one has to acknowledge before it is prepared. The
// subscription's lock, which fetch() took, keeps it true until then.
//
// The events of one statement cannot be acknowledged before they are fetched, whatever order the
// server evaluates it in: an ack() that comes first finds nothing, or is remembered, and the fetch() behind it raises.
#pragma once

#include "pg/pg.hpp"

namespace weir::outbox {

void note_fetched(int64 subscription_id, int64 stream_id, int64 position, int64 frames);

// That fetch() was called, and gave what was noted before, if anything. Raises where the statement has
// acknowledged already.
void note_fetch(int64 subscription_id);
void note_ack(int64 subscription_id);

bool has_fetched(int64 subscription_id);

// Since it is being sought to elsewhere. stream_id: of_itself for all of its streams.
void forget_fetched(int64 subscription_id, int64 stream_id);

struct fetched {
    int64 stream_id;
    int64 position; // of the last event
    int64 frames;   // that the stream ever had up to there
};

// Palloc'd; at most one for each stream.
struct fetched_list {
    fetched *streams;
    int count;
};
fetched_list all_fetched(int64 subscription_id);

// A SubXactCallback.
void fetched_at_end_of_subtransaction(SubXactEvent what, SubTransactionId mine, SubTransactionId parent, void *);

} // namespace weir::outbox
