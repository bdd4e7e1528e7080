// SPDX-License-Identifier: PostgreSQL
//
// Memory of the server for the core: palloc that answers nullptr instead of
// raising, since an ereport() must not jump over the core's frames.
#pragma once

#include "pg/pg.hpp"

#include "core/arena.hpp"

namespace weir::pg {

inline void *allocate_quietly(void *context, std::size_t n) noexcept {
    return MemoryContextAllocExtended(static_cast<MemoryContext>(context), n ? n : 1,
                                      MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
}

inline core::allocator memory_of(MemoryContext context) { return {allocate_quietly, context}; }

template <class T> T *palloc_array_of(std::size_t n) { return static_cast<T *>(palloc(sizeof(T) * (n ? n : 1))); }

} // namespace weir::pg
