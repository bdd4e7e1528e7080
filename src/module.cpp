// SPDX-License-Identifier: PostgreSQL
//
// The library's entry point, and the only file that knows all families. Nothing here needs
// shared_preload_libraries; when preloaded, weir reserves its shared memory instead of
// taking it from the slop.
#include "pg/pg.hpp"

#include "doorbell/marks.hpp"
#include "doorbell/shared.hpp"
#include "kv/housekeeping.hpp"
#include "kv/logs.hpp"
#include "lease/clock.hpp"
#include "lease/fence.hpp"
#include "lease/history.hpp"
#include "lease/sweep.hpp"
#include "log/lock.hpp"
#include "outbox/hooks.hpp"
#include "outbox/mint.hpp"
#include "outbox/retention.hpp"
#include "pg/settings.hpp"
#include "doorbell/announce.hpp"
#include "doorbell/drain.hpp"
#include "stream/floors.hpp"
#include "stream/housekeeping.hpp"
#include "stream/logs.hpp"
#include "worker/jobs.hpp"
#include "worker/worker.hpp"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init();
}

namespace {

shmem_request_hook_type previous_request_hook = nullptr;

void request_shared_memory() {
    if (previous_request_hook != nullptr)
        previous_request_hook();
    weir::log::request_shared_memory();
    weir::worker::request_shared_memory();
    weir::doorbell::request_shared_memory();
    weir::lease::request_shared_memory();
    weir::stream::request_floors();
}

} // namespace

void _PG_init() {
    weir::pg::settings::define();
    weir::stream::register_streams();
    weir::kv::register_buckets();
    weir::lease::register_fence();
    weir::lease::reserve_streams();
    weir::worker::set_doorbell_duty({weir::doorbell::doorbell_round, weir::doorbell::put_back_doorbell});
    weir::stream::register_jobs();
    weir::outbox::register_retention();
    weir::lease::register_sweep();
    weir::kv::register_jobs();
    // The server calls first what was registered last: whatever writes frames before
    // commit has to be registered behind the doorbell, which rings for them, and that
    // behind the worker, which is asked for what frames bring about.
    weir::worker::watch_transactions();
    weir::doorbell::watch_transactions();
    weir::doorbell::announce_in_commits();
    weir::outbox::register_callbacks();
    weir::outbox::listen_to_streams();
    if (process_shared_preload_libraries_in_progress) {
        previous_request_hook = shmem_request_hook;
        shmem_request_hook = request_shared_memory;
    }
}
