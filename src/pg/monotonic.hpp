// SPDX-License-Identifier: PostgreSQL
//
// The clock that every wait, pause and rest goes by. It only goes forward, at one second
// a second, whatever becomes of the server's clock, and it is the same for all processes
// of a server, so its readings may lie in shared memory. It says nothing of the time of
// day, and it may start anew with the machine: nothing durable is in it.
#pragma once

#include "pg/pg.hpp"

namespace weir::pg {

// In microseconds, above 0.
inline int64 monotonic_us() {
    instr_time t;
    INSTR_TIME_SET_CURRENT(t);
    return static_cast<int64>(INSTR_TIME_GET_MICROSEC(t));
}

} // namespace weir::pg
