// SPDX-License-Identifier: PostgreSQL
//
// The lives of a database. A crash, a promotion, a restore begins a new one: memory, or
// even what was committed, is lost there, while clients remember it. weir.life has a row
// for each, written once, by the first writer of that life:
//
//            first            crash              promotion
//     life 1 |------> life 2 |------> life 3    |------> life 4, under way
//            floor 1         floor 2            floor 3
//
// All that a life assigns lies above its floor, and everything that was assigned before at
// or below it, as far as that can be known (docs/design/lives.md). So a position tells
// which life it is from; and what no row of a log reaches within that life was lost.
//
// The row is written frozen: like what a sequence says it is seen by everyone
// at once and stays, whatever becomes of the transaction that wrote it.
#pragma once

#include "pg/pg.hpp"

namespace weir::log::life {

enum class cause : char {
    first = 'f',     // the extension was made
    crash = 'c',     // unlogged rows are lost, and what was committed asynchronously
    promotion = 'p', // another timeline of the WAL: what the old server wrote last may be lost
    restore = 'r',   // another database than the one that wrote the last row: a dump, or a copy
    upgrade = 'u'    // pg_upgrade, which loses nothing
};

struct life {
    int64 number; // 1, 2, …
    int64 floor;  // nothing is assigned at or below it, -1: all is free
    int64 line;   // the number of the last life that began otherwise than by a crash or an upgrade
    cause why;    // of that one
};

// For writers: the life that is under way, which they begin where nobody has yet. May
// wait and write WAL, so not under a log's lock.
life current();

// An id that no other thing of this database was given, in any life. May wait, likewise.
int64 new_id();

// For readers, on a standby as well: how the life ended that a position is from.
struct ending {
    bool over;             // false: the position may be from the life that is under way
    int64 floor;           // of the life that came next
    bool best_effort_only; // none but unlogged rows were lost, as far as is known
};
ending ending_of(int64 position);

// Whether this database itself has begun a life: rows of another one must not come in.
bool is_used();

} // namespace weir::log::life
