// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/settings.hpp"

namespace weir::pg::settings {

int max_frame_bytes = 1024 * 1024;
int max_batch_frames = 10000;
int max_batch_bytes = 16 * 1024 * 1024;
int max_emit_bytes = 64 * 1024 * 1024;
int max_name_bytes = 512;
int max_subscriptions = 1000;
int max_patch_depth = 64;
int max_document_bytes = 16 * 1024 * 1024;
int idempotency_window = 86400;
int doorbell = doorbell_worker;
int all_streams_channel = channel_names;
int poll_interval = 1000;
int lease_retention = 86400;
bool housekeeping = true;

namespace {

config_enum_entry const doorbell_modes[] = {{"worker", doorbell_worker, false},
                                            {"transaction", doorbell_transaction, false},
                                            {"off", doorbell_off, false},
                                            {nullptr, 0, false}};

config_enum_entry const channel_contents_names[] = {
    {"names", channel_names, false}, {"empty", channel_empty, false}, {nullptr, 0, false}};

void limit(const char *name, const char *what, int *value, int least, int greatest, int flags) {
    DefineCustomIntVariable(name, what, nullptr, value, *value, least, greatest, PGC_SUSET, flags, nullptr, nullptr,
                            nullptr);
}

} // namespace

void define() {
    limit("weir.max_frame_bytes", "Largest size of one frame's payload, type and headers.", &max_frame_bytes, 1024,
          256 * 1024 * 1024, GUC_UNIT_BYTE);
    limit("weir.max_batch_frames", "Largest number of frames in one batch.", &max_batch_frames, 1, 100000, 0);
    limit("weir.max_batch_bytes", "Largest size of all frames of one batch together.", &max_batch_bytes, 1024,
          1024 * 1024 * 1024, GUC_UNIT_BYTE);
    limit("weir.max_emit_bytes", "Largest size of all events that one transaction emits.", &max_emit_bytes, 1024,
          1024 * 1024 * 1024, GUC_UNIT_BYTE);
    limit("weir.max_name_bytes", "Longest name of a stream or a lease, in bytes.", &max_name_bytes, 16, 512,
          GUC_UNIT_BYTE);
    limit("weir.max_subscriptions", "Largest number of subscriptions of one role.", &max_subscriptions, 1, 1000000, 0);
    limit("weir.max_patch_depth", "Deepest nesting of a merge patch in a stream.", &max_patch_depth, 1, 512, 0);
    limit("weir.max_document_bytes", "Largest size of a stream's summary document.", &max_document_bytes, 1024,
          256 * 1024 * 1024, GUC_UNIT_BYTE);
    limit("weir.idempotency_window", "Time for which an idempotency key is remembered.", &idempotency_window, 1,
          366 * 86400, GUC_UNIT_S);
    DefineCustomEnumVariable("weir.doorbell",
                             "Who sends notifications of new frames: a worker, the transaction, nobody.", nullptr,
                             &doorbell, doorbell, doorbell_modes, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomEnumVariable("weir.all_streams_channel",
                             "What notifications on the channel of all streams say: names and positions, or nothing.",
                             nullptr, &all_streams_channel, all_streams_channel, channel_contents_names, PGC_SUSET, 0,
                             nullptr, nullptr, nullptr);
    limit("weir.poll_interval", "Time after which weir.wait() looks for frames without having been woken.",
          &poll_interval, 10, 3600000, GUC_UNIT_MS);
    limit("weir.lease_retention", "Time for which a sweep keeps leases that nobody holds.", &lease_retention, 0,
          366 * 86400, GUC_UNIT_S);
    DefineCustomBoolVariable("weir.housekeeping",
                             "Whether a worker tidies up; without it, weir.housekeep() has to be called.", nullptr,
                             &housekeeping, housekeeping, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("weir");
}

} // namespace weir::pg::settings
