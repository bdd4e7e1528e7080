// SPDX-License-Identifier: PostgreSQL
//
// The first half of the writer rule: the last position that is physically in a
// log's index, whoever wrote it, committed or not. Called under the log's lock,
// unless what may have come since does not matter.
#pragma once

#include "pg/pg.hpp"

#include "log/table.hpp"

namespace weir::log {

inline constexpr int prefix_bytes = 96;

struct entry {
    int64 id = -1;                             // the newest position in the index; -1: there is none
    bool readable = false;                     // xmin and prefix are those of the newest entry that was not passed over
    TransactionId xmin = InvalidTransactionId; // FrozenTransactionId once that is what it is
    TransactionId xmax = InvalidTransactionId; // who deleted or is deleting it
    ItemPointerData tid = {};
    alignas(8) char prefix[prefix_bytes] = {}; // leading columns of its row
};

// Whether to look further back than this entry; it is obeyed so many times at the most.
using pass_over = bool (*)(entry const &);

inline bool take_any(entry const &) { return false; }

entry newest(table const &t, int64 key, pass_over skip = take_any, int most = INT_MAX);

} // namespace weir::log
