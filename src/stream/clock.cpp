// SPDX-License-Identifier: PostgreSQL
//
// Moving the bound of the clock (log/clock.hpp) while there are writers, so that none of
// them has to: whoever moves it writes WAL and flushes it, and a best-effort append is to
// wait for neither a disk nor a standby. Writers look the bound up every second or three,
// which keeps this going; some seconds after the last of them it ends.
#include "pg/pg.hpp"

#include "log/clock.hpp"
#include "stream/housekeeping.hpp"

namespace weir::stream {

namespace {
constexpr int64 every_us = 1 * USECS_PER_SEC;
constexpr int64 ahead_ms = 3000; // and as much more as any writer's
constexpr int max_idle = 5;      // rounds without a writer
} // namespace

worker::outcome clock_step(int64) {
    static int idle = 0;
    idle = is_clock_in_use() ? 0 : idle + 1;
    if (idle > max_idle)
        return {};
    log::clock::cover(log::clock::now_us() / 1000 + ahead_ms);
    return {worker::outcome::what::done, every_us};
}

} // namespace weir::stream
