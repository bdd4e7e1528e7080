// SPDX-License-Identifier: PostgreSQL
//
// Locks on keys, held until the transaction ends, of which a transaction may take any
// number: the server's lock table has room for max_locks_per_transaction of them in each, on
// average, and whoever takes more leaves others without.
//
// So the first max_locks_per_transaction keys of a transaction are locked one by one. The next
// key takes the *gate* of its space exclusively, which stands for every key of the space that
// nobody has yet: a large transaction waits for the holders of its own keys only, and from
// then on all who want another key of the space wait for it. Transactions that stay below
// the number do not feel each other but for their keys.
//
//   a key by itself   lock it; if the gate is taken, or somebody waits for it: give the key
//                     back, wait for the gate, begin anew
//   under the gate    lock the key and release it at once: who holds it has ended, and who
//                     comes later is stopped by the gate
//
// Whoever has a key looked at the gate while holding it. So a gate that is taken later finds
// the key held, and one that was taken before is seen: one of the two gives way, and the gate need
// not be held by small transactions. While a transaction waits for a gate it holds no more than keys
// that it had before, so nobody waits in a circle who would not by the keys alone, except where
// a large transaction wants a key of one that waits for its gate. The server detects that.
//
// A class must be locked through here by all or by none. A space is a table, or the family
// as a whole (0); keys that hash alike share a lock.
//
// A key is held alone, or, where a class has such users, in common with others of the same kind: all who
// write it and may do so beside each other, or all who want it to stay as it is.
#pragma once

#include "pg/pg.hpp"

#include "pg/lock.hpp"

namespace weir::pg {

enum class hold { alone, writing, reading };

void lock_key(lock_class which, Oid space, int64 key, hold how = hold::alone);

// Without waiting. False: somebody has the key, or may have.
bool try_lock_key(lock_class which, Oid space, int64 key, hold how = hold::alone);

// The gate of a space: from now on nobody takes another key of it. Who has one keeps it.
void lock_space(lock_class which, Oid space);

} // namespace weir::pg
