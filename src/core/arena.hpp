// SPDX-License-Identifier: PostgreSQL
//
// Memory for the core, handed in by the caller: one function that returns
// 8-aligned memory or nullptr. Nothing is freed one by one; the caller drops
// the whole (a memory context, an arena) when it is done with the results.
// The callback must not throw and must not jump.
#pragma once

#include <cstddef>

namespace weir::core {

struct allocator {
    void *(*allocate)(void *context, std::size_t n) noexcept; // nullptr: none left
    void *context;
};

} // namespace weir::core
