// SPDX-License-Identifier: PostgreSQL
//
// The background worker of a database: at most one, started by whoever first has
// work for it, gone after two idle seconds, never restarted by the postmaster. So
// it needs no preloading, costs nothing where weir is idle, and DROP DATABASE,
// which waits five seconds for others to leave, just works.
//
// Its work: vacuuming the best-effort frames. They are deleted as fast as they
// come, and between two rounds of autovacuum (a minute by default) the table
// would grow to many times what is kept. Where no worker can be had, autovacuum
// is what remains.
//
// It connects as the bootstrap superuser and runs nothing that a user wrote.
#pragma once

#include "pg/pg.hpp"

namespace weir::worker {

// So many best-effort rows were deleted. Never waits for the worker.
void report_dead_rows(int64 rows);

// As log::request_shared_memory().
void request_shared_memory();

} // namespace weir::worker
