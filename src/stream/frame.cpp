// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "stream/frame.hpp"

namespace weir::stream {

constinit log::source log_source{"frame_log"};
constinit log::source live_source{"frame_live"};

} // namespace weir::stream
