// SPDX-License-Identifier: PostgreSQL
//
// CALL weir.wait, for streams and subscriptions.
#pragma once

#include "session.hpp"
#include "weir/position.hpp"
#include "weir/result.hpp"
#include "weir/wait.hpp"

#include <optional>
#include <string_view>

namespace weir::inline v0 {
namespace internal {

// Of a stream and a cursor, or of a subscription.
struct waited_for {
    std::optional<std::string_view> stream = {};
    std::optional<position> after = {};
    std::optional<std::string_view> subscription = {};
};

// Blocks until the time is over or a stop is requested. Refused: cursor_ahead.
result<wait_outcome> wait_in_server(session &on, waited_for const &what, until const &limit);

} // namespace internal
} // namespace weir::inline v0
