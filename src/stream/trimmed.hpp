// SPDX-License-Identifier: PostgreSQL
//
// What trims have taken from a stream, and whether a reader has missed any of it.
//
// Frames go from the oldest on, so a cursor has missed some exactly if it lies below
// the newest frame that was removed.
#pragma once

#include "pg/pg.hpp"

namespace weir::stream {

struct trimmed {
    int64 upto;   // the newest frame that was removed; 0: none was
    int64 below;  // nothing of the log is left below it; 0: none was removed
    int64 frames; // how many
};

// Durable frames and patches only: best-effort ones come and go by their own rule.
trimmed trimmed_from(int64 stream_id, Snapshot snapshot);

// The first settled frame after a position, -1: there is none.
int64 first_after(int64 stream_id, int64 after, Snapshot snapshot);

// Says that frames after a cursor were removed. passed: how many frames the cursor has
// behind it, -1: not known. hint: how to go on.
[[noreturn]] void raise_expired(std::string_view name, int64 stream_id, int64 after, int64 passed, trimmed const &gone,
                                Snapshot snapshot, const char *hint);

} // namespace weir::stream
