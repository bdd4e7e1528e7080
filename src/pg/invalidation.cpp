// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/invalidation.hpp"

namespace weir::pg {

namespace {

uint64 processed = 0;
bool registered = false;

// Beside relations, what their descriptors point to and what statements name.
constexpr int catalogues[] = {TYPEOID, NAMESPACEOID, OPEROID, AMOPOPID, CLAOID, COLLOID};

void count(Datum, Oid) { processed++; }
void count_entry(Datum, int, uint32) { processed++; }

} // namespace

uint64 invalidations() {
    if (!registered) {
        CacheRegisterRelcacheCallback(count, 0);
        for (int catalogue : catalogues)
            CacheRegisterSyscacheCallback(catalogue, count_entry, 0);
        registered = true;
    }
    return processed;
}

} // namespace weir::pg
