// SPDX-License-Identifier: PostgreSQL
//
// Rows that others put into weir's tables: a subscription of logical replication, and
// pg_restore. Ids, positions and the names of streams are this database's own, so that
//
//   what logical replication brings is left out (trigger skip_replicated): two databases
//     joined by it are two databases
//   what a dump brings is refused once weir has been used (trigger refuse_restored): a
//     dump is restored into a database where it has not
//
// weir's own writes meet neither: rows of logs are inserted below the level of triggers, and its
// statements run as another user than the caller.
#pragma once

#include "pg/pg.hpp"

namespace weir::log {

// At the head of a trigger that is to refuse what a dump brings. True: weir's own.
bool check_restored(FunctionCallInfo fcinfo);

} // namespace weir::log
