// SPDX-License-Identifier: PostgreSQL
//
// From marks to notifications: one on the channel of each stream, with the newest
// position as its payload, and a few on the database's channel that say which
// streams they were. Handed to the running transaction, which sends them when it commits.
#pragma once

#include "pg/pg.hpp"

#include "doorbell/marks.hpp"

namespace weir::doorbell {

// How many streams were announced.
int announce(mark const *marks, int count);

// Every stream with something at or above a position, settled or not. Costs a look at
// each stream of the database.
int announce_from(int64 position);

// Tells those who watch everything that anything may have changed.
void announce_anything();

// Lets transactions announce by themselves where weir.doorbell says so, or no worker can be had.
void announce_in_commits();

} // namespace weir::doorbell
