// SPDX-License-Identifier: PostgreSQL
//
// Changes that have to be looked at in time: a put that will expire, a tombstone that will have been there for long
// enough. A row of weir.kv_due for each, by its time.
#pragma once

#include "pg/pg.hpp"

namespace weir::kv {

// How long a key that is gone leaves its last change behind for those who watch.
inline constexpr int64 tombstone_ms = 86400000;

void enter_due(int64 due_ms, int64 bucket_id, int64 first_revision, int count);

struct due {
    int64 due_ms;
    int64 bucket_id;
    int64 revision;
};

// The first that are due, of those behind so many; returns how many it wrote to out.
int list_due(int64 now_ms, int64 passed, due *out, int room);
void remove_due(due const &d);

// When the next is, in milliseconds since 1970; -1: none.
int64 next_due();

} // namespace weir::kv
