// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/invalidation.hpp"

namespace weir::pg {

namespace {

uint64 processed = 0;
bool registered = false;

void count(Datum, Oid) { processed++; }

} // namespace

uint64 invalidations() {
    if (!registered) {
        CacheRegisterRelcacheCallback(count, 0);
        registered = true;
    }
    return processed;
}

} // namespace weir::pg
