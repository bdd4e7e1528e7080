// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "stream/frame.hpp"

namespace weir::stream {

constinit log::source log_source{"frame_log"};
constinit log::source best_effort_source{"frame_best_effort"};

} // namespace weir::stream
