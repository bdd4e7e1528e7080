// SPDX-License-Identifier: PostgreSQL
//
// What the outbox does where streams tell of themselves (stream/hooks.hpp).
#pragma once

namespace weir::outbox {

// From _PG_init.
void listen_to_streams();

} // namespace weir::outbox
