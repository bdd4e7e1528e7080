// SPDX-License-Identifier: PostgreSQL
//
// Events: frames of a stream that are written as their transaction commits. Emit them in the
// transaction whose change they tell of; without one, each call is a transaction of its own. Whoever
// wants them subscribes (subscription.hpp, subscriber.hpp), or reads and tails the stream as any other.
#pragma once

#include "weir/connection.hpp"
#include "weir/frame.hpp"
#include "weir/result.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace weir::inline v0 {

// Views: they hold nothing themselves.
struct new_event {
    std::string_view stream;
    weir::payload payload = weir::json("{}");
    std::optional<std::string_view> type = {};    // 1 to 512 bytes
    std::optional<std::string_view> headers = {}; // a JSON object, which subscriptions can filter by
};

// Refused: stream_closed, where the call is a transaction of its own; in one, transaction::commit() throws that. Not
// made again after a lost connection: outside of a transaction it is then in doubt.
WEIR_CLIENT_API result<std::monostate> emit(connection &db, new_event const &what);
// Several, in this order, all or none.
WEIR_CLIENT_API result<std::monostate> emit(connection &db, std::span<new_event const> what);

} // namespace weir::inline v0
