// SPDX-License-Identifier: PostgreSQL
//
// The jobs of streams (worker/jobs.hpp): what appends, drops and keyed calls leave to be
// done, and by what they ask for it.
#pragma once

#include "pg/pg.hpp"

#include "stream/writer.hpp"
#include "worker/jobs.hpp"

namespace weir::stream {

// From _PG_init.
void register_jobs();

// Of a transaction that has appended to a stream, dropped one, used an idempotency key.
void ask_for_checkpoint(int64 stream_id, written const &appended, int count);
void ask_to_trim(int64 stream_id, written const &appended, int count); // best-effort frames
void ask_to_forget_names();
void ask_to_expire_keys();
void ask_to_vacuum(int64 dead_rows);
void ask_to_end_streams(int64 in_us);

// A writer has to look up how far the bound of the clock is. Not from a log's lock.
void ask_to_move_clock();
bool is_clock_in_use(); // since it was asked last

// Steps, a file each.
worker::outcome checkpoint_step(int64 stream_id); // upkeep.cpp
worker::outcome trim_step(int64 stream_id);       // best_effort.cpp
int64 next_with_best_effort_rows(int64 after);
worker::outcome forget_names_step(int64); // purge.cpp
worker::outcome expire_keys_step(int64);  // idempotency.cpp
worker::outcome vacuum_step(int64);       // vacuum.cpp
worker::outcome clock_step(int64);        // clock.cpp
worker::outcome lifetimes_step(int64);    // lifetime.cpp

} // namespace weir::stream
