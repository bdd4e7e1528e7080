// SPDX-License-Identifier: PostgreSQL
//
// A worker's view of its slot.
//
// It is claimed before the worker connects, so that a connection that fails is noticed
// at once. A worker that fails, by an error or by somebody's SIGTERM, gives its slot up with its
// work put back, and registers a successor that rests for a while, not connected to
// any database, before it tries. A worker that cannot even connect leaves none: its
// database may be gone. One that knows when there will be work again leaves a
// successor that rests until then, and can be woken.
#pragma once

#include "pg/pg.hpp"

#include "worker/shared.hpp"

namespace weir::worker {

// False: another worker has the slot. put_back, if not NULL, runs when the worker fails.
bool claim(Oid database, kind which, void (*put_back)());

// How long to rest before connecting, in microseconds; 0 also where a rest is over early.
int64 rest_for();
// Whether the slot is to be given up without having been taken up: another database
// needs the place, or there is no such database any more.
bool is_of_no_use();

// Connected, and ready to be woken.
void take_up();

// Before looking for work: a wakeup from now on is to be looked for again.
void answer();
bool is_wakeup_pending();

// While pausing: nobody need signal, it will be looked at anyway.
void do_not_disturb();

// Gives the slot up; false: it has just been woken. rest_until: when there will be work again, -1: not known.
bool leave(int64 rest_until);

// Gives the slot up to whoever needs the place more, and whatever is left to be done.
bool is_dismissed();
void make_room();

// Gives up a slot that was not taken up.
void resign();

// Failures are forgotten.
void forget_failures();

} // namespace weir::worker
