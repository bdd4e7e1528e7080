// SPDX-License-Identifier: PostgreSQL
//
// In assertion builds of the server, a log's lock is guarded by this: the server
// goes down with a stack trace where something under it processes invalidations or
// keeps a heavyweight lock.
//
//   invalidations  Between begin() and end() debug_discard_caches is 1, so that
//                  every AcceptInvalidationMessages() discards all caches, there being a
//                  message or not, and that calls our callback. Every relation that
//                  is opened under a lock not yet held goes there.
//   look-ups       begin() empties the catalogue caches now and then, so that one
//                  which would nearly always hit misses, and opens its catalogue.
//   locks          There must be as many at the end as there were in the beginning.
//
// Not seen: a heavyweight lock that is taken and released again without looking for
// invalidations, as that for extending a relation; and look-ups in the relation cache
// that hit. Not done where debug_discard_caches is on by itself: nothing can be
// looked up beforehand then.
#pragma once

#include "pg/pg.hpp"

namespace weir::log {

#ifdef USE_ASSERT_CHECKING
void prepare_lock_check();
void begin_lock_check(LWLock *lock);
void end_lock_check();
#else
inline void prepare_lock_check() {}
inline void begin_lock_check(LWLock *) {}
inline void end_lock_check() {}
#endif

} // namespace weir::log
