// SPDX-License-Identifier: PostgreSQL
//
// Asleep until there is something: the loop of CALL weir.wait(), whatever is waited for.
//
//        +--> listen --> look (a transaction of its own) --> found, or out of time: return
//        |                          | nothing
//        +---- woken, or poll --- sleep (no snapshot, no lock, no xid)
//
// Listening comes before looking, so what is settled in between rings; where a look finds more to listen to,
// another one follows at once. Whether it rang is read from the bells, not from the latch, which the look itself
// may reset. Looking again after a while without having been woken covers what rings nobody here: COMMIT
// PREPARED, a standby's replay, a server whose doorbell is off.
#pragma once

#include "pg/pg.hpp"

#include "doorbell/bells.hpp"
#include "doorbell/shared.hpp"

namespace weir::doorbell {

enum class look {
    found,
    nothing,
    unfinished // nothing yet, and there is more to look at
};

// What is waited for: the part that the caller knows. Lives as long as the call.
struct waiting {
    look (*at)(waiting &w, Snapshot snapshot); // what it allocates is gone after it
    bool polls_often;                          // may turn to something that rings no bell of ours
    // Private to wait().
    uint64 bells[bucket_count / 64];
    bool has_more_bells;
};

// Wakes for what rings the stream of that name. From before wait(), or from a look.
void wake_for(waiting &w, std::string_view name);

// Refuses where waiting is not possible, or would commit what was written before.
void check_may_wait(FunctionCallInfo fcinfo);
[[noreturn]] void refuse_to_wait(const char *detail, const char *hint);

// Whether there is something, before the time is over. Ends the transaction that it is called in, and every look
// is one of its own; goes by the monotonic clock.
bool wait(waiting &w, int64 timeout_us);

} // namespace weir::doorbell
