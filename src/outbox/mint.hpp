// SPDX-License-Identifier: PostgreSQL
//
// Writing what the transaction has emitted, as it commits or is prepared.
//
// One batch for each stream, in the order of the streams' names, the events of each
// in the order of their emits. Nothing of it waits for another transaction, but for
// one that is closing or dropping a stream; where that one waits for us in turn, the
// server finds the deadlock.
#pragma once

#include "pg/pg.hpp"

namespace weir::outbox {

// From _PG_init. Callbacks registered later run earlier: those that are to see the
// streams written by this one are registered before it.
void register_callbacks();

} // namespace weir::outbox
