// SPDX-License-Identifier: PostgreSQL
//
// What a caller did not ask for is attempted in a subtransaction: where it fails, that
// is rolled back, the log is told, and the caller goes on. A cancel or a timeout that
// comes meanwhile ends the attempt, and has come too late for the rest.
#pragma once

#include "pg/pg.hpp"

namespace weir::pg {

// nullptr: it went well. Else the error, in the caller's memory, to be told by the caller.
ErrorData *try_in_subtransaction(void (*what)(void *context), void *context);

// False: it failed. doing: what, for the log: "could not …"; null: the caller says it.
bool attempt(void (*what)(void *context), void *context, const char *doing);

} // namespace weir::pg
