// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "stream/fence.hpp"

namespace weir::stream {

namespace {
void (*hold_lease)(fence const &f) = nullptr;
} // namespace

void set_fence(void (*hold)(fence const &f)) { hold_lease = hold; }

void hold_fence(fence const &f) {
    if (hold_lease == nullptr)
        elog(ERROR, "nothing is registered that holds a lease");
    hold_lease(f);
}

} // namespace weir::stream
