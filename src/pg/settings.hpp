// SPDX-License-Identifier: PostgreSQL
//
// The settings of weir, read here and nowhere else. They
// protect the server and its users from a single caller, so only a superuser (or SET
// privilege) changes them.
#pragma once

namespace weir::pg::settings {

extern int max_frame_bytes;    // bytes of payload, type and headers of one frame
extern int max_batch_frames;   // frames of one batch
extern int max_batch_bytes;    // bytes of all frames of one batch
extern int max_emit_bytes;     // bytes of all that a transaction emits
extern int max_name_bytes;     // bytes of the name of a stream or a lease
extern int max_subscriptions;  // of one role
extern int max_patch_depth;    // nesting of a merge patch
extern int max_document_bytes; // bytes of a summary document
extern int idempotency_window; // seconds that an idempotency key is remembered
extern bool housekeeping;      // whether a worker does it
extern int lease_retention;    // seconds that a lease nobody holds is remembered

// How transactions tell others that there is something to read.
enum doorbell_mode { doorbell_worker, doorbell_transaction, doorbell_off };
extern int doorbell; // a doorbell_mode

// What the channel of all streams tells, which anybody can listen to.
enum channel_contents { channel_names, channel_empty };
extern int all_streams_channel; // a channel_contents
extern int poll_interval;       // milliseconds after which weir.wait() looks without having been woken

void define();

} // namespace weir::pg::settings
