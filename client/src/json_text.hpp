// SPDX-License-Identifier: PostgreSQL
//
// As much JSON as the library has to read itself: a string, and the flat object of
// strings that a notification carries.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0 {
namespace internal {

// Takes a JSON string literal off the front of the text. Nothing, and the text as it was, where there is none.
std::optional<std::string> take_json_string(std::string_view &text);

// {"name": "value", …}: calls f for each member. False where the text is anything else; f may have
// been called for some members then.
bool for_each_member(std::string_view text, std::function<void(std::string_view, std::string_view)> const &f);

} // namespace internal
} // namespace weir::inline v0
