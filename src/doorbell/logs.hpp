// SPDX-License-Identifier: PostgreSQL
//
// What the doorbell has to know of the logs of a family: it rings for them, whatever they hold. Each family that
// appends to logs registers this for its kind, as the library is loaded.
#pragma once

#include "pg/pg.hpp"

#include "log/table.hpp"
#include "name/kind.hpp"

namespace weir::doorbell {

struct unsettled {
    int64 first; // position that is not settled yet, -1: there is none
    TransactionId blocker;
};

// One look at a log for somebody who waits: whether what reads it from a cursor would be given something, and if not,
// whether there is a reason not to wait on.
enum class outlook {
    nothing,    // yet
    unfinished, // nothing among the many that were looked at, and there are more
    frames,     // a frame, a change, or the mark of a close
    closed,     // and the cursor stands behind the mark: nothing will ever come
    dropped,    // behind the cursor, and not made again
    expired     // what lay behind the cursor was removed
};

// As weir.wait() says it; for `nothing`, that the time is over.
const char *name_of(outlook o);

struct watched {
    std::string_view name;
    int64 after;    // the reader's cursor; -1: the beginning
    bool was_there; // when last looked at
};

struct logs {
    name::kind const *kind;
    // The newest position that is physically there, settled or not, -1: none.
    int64 (*newest)(int64 id);
    unsettled (*find_unsettled)(int64 id, Snapshot snapshot);
    // Whether another transaction may be writing to any of them: false spares a look at each.
    bool (*are_written)();
    // Raises where the cursor lies ahead of the log. The name may be unknown.
    outlook (*look)(watched &w, Snapshot snapshot);
};

// From _PG_init. The functions last as long as the library.
void register_logs(logs const &of);

// nullptr: nobody has registered that kind.
logs const *logs_of(char kind);

// Whether another transaction may be writing to a log of any kind; to a table of logs.
bool are_any_written();
bool is_written_by_others(log::source &table);

} // namespace weir::doorbell
