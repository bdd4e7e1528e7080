// SPDX-License-Identifier: PostgreSQL
//
// What a stream amounts to at a settled position: counts, and the summary
// document, folded from the log. A fold starts from the newest checkpoint the
// snapshot sees and reads the settled rows behind it, so its cost is that of
// the rows since then. Checkpoints are never updated: a newer one is inserted
// and older ones are deleted (upkeep.hpp).
#pragma once

#include "pg/pg.hpp"

#include "log/table.hpp"
#include "stream/frame.hpp"

namespace weir::stream {

struct folded {
    int64 position;       // everything at or below it is in; -1: nothing is
    int64 frames;         // durable frames and patches ever appended
    int64 bytes;          // of them
    int64 trimmed_frames; // of these
    int64 trimmed_bytes;
    int64 trimmed_below;  // rows below it are gone; 0: none are
    int64 trimmed_upto;   // the newest frame among them, which readers may have missed; 0: there was none
    int64 version;        // of the newest patch in; 0: there is none
    int64 patched_at;     // its position, -1: none
    int64 first_patch;    // that of the first, -1: none
    int64 packed_version; // with the bound of the document (core/document_bound.hpp)
    Jsonb *document;      // where it was asked for and a patch is in
    bool too_large;       // it was asked for, and is more than is ever folded
    int64 document_size;  // as stored with the checkpoint, compressed
    // Seen on the way, not kept in checkpoints.
    int64 rows;      // read since the checkpoint
    int64 unsettled; // position at which the fold stopped, -1: it did not
    TransactionId blocker;
};

// A document that is too large is an error, or said.
enum class want { counts, document, document_within_bounds };

// The settled rows of the log up to and including upto.
folded fold_log(int64 stream_id, int64 upto, Snapshot snapshot, want what);

// Where the newest checkpoint stands, -1: there is none.
int64 checkpoint_position(int64 stream_id, Snapshot snapshot);

// Size of a frame's payload, type and headers.
int64 frame_size(TupleTableSlot *slot, int type_column);

} // namespace weir::stream
