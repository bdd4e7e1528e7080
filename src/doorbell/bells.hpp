// SPDX-License-Identifier: PostgreSQL
//
// Sleeping backends and what wakes them. A sleeper sets its bit in the bucket of
// each stream that it waits for, looks whether something is there, and sleeps; a
// ringer takes the bits out of the bucket and sets their latches. Both sides have a
// full barrier in between, so either the sleeper finds what came, or the ringer
// finds the sleeper.
//
// Two streams may share a bucket, and a slot a bit that its last owner left set:
// that wakes somebody for nothing. Where all slots are taken a sleeper has none,
// and looks by itself more often.
#pragma once

#include "pg/pg.hpp"

namespace weir::doorbell {

// The bucket of a stream of this database.
uint32 bell_of(std::string_view name);

// Wakes up to so many of those who sleep there; where there are more, leaves the rest
// for ring_pending_bells(). Returns how many were woken; left: there are more.
int ring_bell(uint32 bell, int most, bool *left);
void ring_all_bells();
void ring_pending_bells();

// A slot for this backend, kept until leave_bells() or its exit; -1: none is free.
int enter_bells();
void leave_bells();
int how_many_sleep();

// Waits to be woken, until the next ring.
void listen_to(int slot, uint32 bell);
// Whether nobody rang since. The latch does not tell: whatever a backend waits for on
// its way, a lock or a page, resets it.
bool still_listens(int slot, uint32 bell);

} // namespace weir::doorbell
