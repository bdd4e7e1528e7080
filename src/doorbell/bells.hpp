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

void ring_bell(uint32 bell);
void ring_all_bells();

// A slot for this backend, kept until leave_bells() or its exit; -1: none is free.
int enter_bells();
void leave_bells();

// Waits to be rung, until the next ring.
void listen_to(int slot, uint32 bell);

} // namespace weir::doorbell
