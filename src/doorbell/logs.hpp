// SPDX-License-Identifier: PostgreSQL
//
// What the doorbell has to know of the logs of a family: it rings for them, whatever they hold. Each family that
// appends to logs registers this for its kind, as the library is loaded.
#pragma once

#include "pg/pg.hpp"

#include "name/kind.hpp"

namespace weir::doorbell {

struct unsettled {
    int64 first; // position that is not settled yet, -1: there is none
    TransactionId blocker;
};

struct logs {
    name::kind const *kind;
    // The newest position that is physically there, settled or not, -1: none.
    int64 (*newest)(int64 id);
    unsettled (*find_unsettled)(int64 id, Snapshot snapshot);
    // Whether another transaction may be writing to any of them: false spares a look at each.
    bool (*are_written)();
};

// From _PG_init. The functions last as long as the library.
void register_logs(logs const &of);

// nullptr: nobody has registered that kind.
logs const *logs_of(char kind);

// Whether another transaction may be writing to a log of any kind.
bool are_any_written();

} // namespace weir::doorbell
