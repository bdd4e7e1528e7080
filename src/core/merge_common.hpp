// SPDX-License-Identifier: PostgreSQL
//
// What the fold, the difference and the composition share: limits and their
// errors, and the sentinel. For .cpp files of the core: it throws.
#pragma once

#include "core/guarded.hpp"
#include "core/jsonb.hpp"
#include "core/merge_patch.hpp"

#include <algorithm>
#include <charconv>

namespace weir::core {

constexpr int clamp_depth(int levels) noexcept { return std::clamp(levels, 0, depth_limit); }

inline error too_deep(int max_depth) noexcept {
    error e{};
    e.why.code = errc::too_deep;
    char digits[12] = {};
    std::to_chars(digits, digits + sizeof digits - 1, max_depth);
    compose(e.why.message, "merge patch nests too deep");
    compose(e.why.detail, "Objects and arrays may nest ", digits, " levels deep.");
    return e;
}

inline error not_an_object(jsonb::value const &root) noexcept {
    char const *name = "an array";
    if (root.type == jsonb::kind::string)
        name = "a string";
    if (root.type == jsonb::kind::numeric)
        name = "a number";
    if (root.type == jsonb::kind::boolean_false || root.type == jsonb::kind::boolean_true)
        name = "a boolean";
    if (root.is_null())
        name = "null";
    error e{};
    e.why.code = errc::not_an_object;
    compose(e.why.message, "merge patch must be a JSON object");
    compose(e.why.detail, "Its root is ", name, ".");
    return e;
}

inline constexpr jsonb::value null_value{jsonb::kind::null, 0, nullptr};

inline bool is_sentinel(jsonb::value const &v, std::string_view sentinel) noexcept {
    return sentinel.data() != nullptr && v.is_string() && v.text() == sentinel;
}

// False where no string in v can be the sentinel, by its raw bytes alone.
inline bool may_hold(jsonb::value const &v, std::string_view sentinel) noexcept {
    return sentinel.data() != nullptr && v.text().find(sentinel) != std::string_view::npos;
}

} // namespace weir::core
