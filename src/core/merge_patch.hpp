// SPDX-License-Identifier: PostgreSQL
//
// RFC 7396 JSON merge patch on jsonb containers (the bytes behind the varlena
// header): apply, difference, composition, and the fold of many patches.
//
// A fold keeps an overlay (what the patches so far erase, replace and merge)
// and walks the document once, at the end; members that no patch touches
// are copied as they are, never expanded. N patches cost the size of the
// patches plus one copy of the document.
//
// The sentinel, where given, is a string that stands for null: every string
// *value* of a patch that equals it, at any depth, in arrays too, becomes JSON
// null. Object keys are left alone. A view whose data() is nullptr: no sentinel.
//
// Depth counts objects and arrays, the root is 1; limits above
// depth_limit count as depth_limit. Only patches are bounded: a target may be of any depth.
//
// Every entry is noexcept, returns false and fills `why` on failure, and
// takes all memory from the allocator: what it leaves there is freed with it.
#pragma once

#include "core/arena.hpp"
#include "core/failure.hpp"
#include "core/jsonb.hpp"

#include <string_view>

namespace weir::core {

inline constexpr int depth_limit = 512;

using merge_result = jsonb_result;

// An opaque handle in the allocator's memory; nothing to destroy. The patches, the
// sentinel and the base must stay where they are until fold_finish returns.
// After a failure other than not_an_object the fold must not be used again.
class fold;

enum class patch_root { any, object }; // object: anything else at the root is errc::not_an_object

[[nodiscard]] fold *fold_begin(allocator memory, std::string_view sentinel, int max_depth,
                               failure &why) noexcept; // nullptr on failure
[[nodiscard]] bool fold_apply(fold *state, jsonb_bytes patch, patch_root root, failure &why) noexcept;
// The document after all patches; an empty base starts from {}. The fold stays as it
// is: more patches may follow, and finish may be called again.
[[nodiscard]] bool fold_finish(fold *state, jsonb_bytes base, merge_result &out, failure &why) noexcept;

// target with patch applied. too_deep, too_large.
[[nodiscard]] bool merge_patch(allocator memory, jsonb_bytes target, jsonb_bytes patch, std::string_view sentinel,
                               int max_depth, merge_result &out, failure &why) noexcept;

// The patch that turns `from` into `to`. unrepresentable: a null member in a
// changed part of `to` without a sentinel, or the sentinel itself there.
[[nodiscard]] bool merge_diff(allocator memory, jsonb_bytes from, jsonb_bytes to, std::string_view sentinel,
                              int max_depth, merge_result &out, failure &why) noexcept;

// The one patch that does what a and then b do. unrepresentable: an object in
// b over a null, scalar or array in a.
[[nodiscard]] bool merge_patches(allocator memory, jsonb_bytes a, jsonb_bytes b, int max_depth, merge_result &out,
                                 failure &why) noexcept;

// Whether a patch may be stored: its root is an object and it nests no deeper
// than max_depth. not_an_object, too_deep.
[[nodiscard]] bool patch_check(jsonb_bytes patch, int max_depth, failure &why) noexcept;

} // namespace weir::core
