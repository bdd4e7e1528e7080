// SPDX-License-Identifier: PostgreSQL
//
// The fence of an append: a lease, and the epoch at which it has to be live until the appender's
// commit. What a lease is, streams do not know: the family registers how one is held.
#pragma once

#include "pg/pg.hpp"

namespace weir::stream {

struct fence {
    std::string_view lease;
    int64 epoch;

    bool given() const { return lease.data() != nullptr; }
};

// From _PG_init.
void set_fence(void (*hold)(fence const &f));

// Raises unless the lease is live at that epoch, which then holds until the transaction's end.
void hold_fence(fence const &f);

} // namespace weir::stream
