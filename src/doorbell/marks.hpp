// SPDX-License-Identifier: PostgreSQL
//
// The writer's side of the doorbell: which logs the running transaction has
// written. At its end, committed or not, and where a savepoint rolls back, each of
// them rings: the waiters of its stream are woken, and a mark is left for the worker.
//
// All that can fail happens while the transaction can still fail. What happens at
// its end are atomics, spinlocks and latches.
#pragma once

#include "pg/pg.hpp"

#include "doorbell/shared.hpp"

namespace weir::doorbell {

// Attaches to what is shared; after that note() cannot fail.
void prepare();

// The running transaction has assigned the positions first to last in a log.
void note(int64 log, std::string_view name, int64 first, int64 last);

// Registers with the server; once in a process.
void watch_transactions();

// How a transaction tells others itself, in its NOTIFY: where the worker cannot be had, or
// weir.doorbell is transaction. Called before commit with all that it has noted;
// incomplete: there was more, in logs at or beyond look_from. send says whether it has
// sent it all; settle is then called when the transaction has ended.
struct noted {
    mark *marks;
    int count;
    bool incomplete;
    int64 look_from;
};
void on_own_notify(bool (*send)(noted const &), void (*settle)(bool committed));

// For the worker: takes the marks of its database out, up to room of them.
int take_marks(Oid database, mark *out, int room);

inline constexpr int max_marks = group_size * group_count;

} // namespace weir::doorbell
