// SPDX-License-Identifier: PostgreSQL
//
// weir's shared memory: a few kB, taken from the server's slop on first use, or
// reserved when the library is preloaded. The slop is everybody's: where it was used up
// before, as by a table of locks that has grown, a file of that size is mapped by
// all processes instead. It is as shared, and as correct; the kernel writes it to
// the disk now and then, to no purpose. Room in the slop never comes back, so all processes
// come to the same end, and who is first decides it under the lock.
//
// All backends must agree on its layout, or writers would take different locks. A
// library that is replaced under a running server may have another one: it then
// refuses to work until the restart.
#pragma once

#include "pg/pg.hpp"

namespace weir::pg {

// Raise it with every change to a structure in shared memory.
inline constexpr uint32 shared_layout = 9;

// Under AddinShmemInitLock. Zeroed where it was not there before (found: false).
void *attach_shared(const char *name, std::size_t size, bool *found);

void request_shared(std::size_t size);

} // namespace weir::pg
