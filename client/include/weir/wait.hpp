// SPDX-License-Identifier: PostgreSQL
//
// What a wait in the server came to: the answer of CALL weir.wait.
#pragma once

#include "weir/export.hpp"

#include <string_view>

namespace weir::inline v0 {

enum class wait_reason {
    frames,  // there is something to read or to fetch
    timeout, // the time is over
    stopped, // a stop was requested
    closed,  // the cursor is behind the close mark: nothing will ever come
    dropped, // the stream was dropped; wait after position::least() for what may come under its name
    expired, // frames behind the cursor are gone: reading and fetching are refused as cursor_expired
};

// frames, timeout, stopped, closed, dropped, expired.
WEIR_CLIENT_API std::string_view to_string(wait_reason reason) noexcept;

struct wait_outcome {
    bool ready = false; // a read or a fetch gives something
    wait_reason reason = wait_reason::timeout;
};

} // namespace weir::inline v0
