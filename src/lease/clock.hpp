// SPDX-License-Identifier: PostgreSQL
//
// The clock that leases go by: that of the server as it stood when leases were first
// used in this life of the server, and from then on its monotonic one. So a step of
// the server's clock, back or ahead, neither ends a lease nor prolongs one. Where
// the two differ by now, what users are shown is translated to the server's.
//
// It starts anew with the server. Where that is behind by then, more may be left of a
// lease than was ever granted: the sweep cuts that (core::is_overlong()).
#pragma once

#include "pg/pg.hpp"

namespace weir::lease {

TimestampTz now();

// A time of this clock on that of the server, as of now.
TimestampTz shown(TimestampTz t);

// As log::request_shared_memory().
void request_shared_memory();

} // namespace weir::lease
