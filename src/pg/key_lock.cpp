// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/key_lock.hpp"

namespace weir::pg {

namespace {

enum class patience { waits, does_not_wait };

// Keys that this transaction has locked by themselves, in all spaces. Too high after a
// savepoint was rolled back: then the gate is taken early.
int taken = 0;
uint32 taken_by = 0;

bool is_large() {
    uint32 transaction = compat::own_transaction();
    if (taken_by != transaction) {
        taken_by = transaction;
        taken = 0;
    }
    return taken >= max_locks_per_xact;
}

LOCKTAG gate_of(lock_class which, Oid space) {
    constexpr uint16 gates = 0x8000; // beside the classes of keys
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, space, 0, static_cast<uint16>(which) | gates);
    return tag;
}

LockAcquireResult acquire(LOCKTAG const &tag, LOCKMODE mode, patience how) {
    return LockAcquire(&tag, mode, false, how == patience::does_not_wait);
}

// What was acquired in this call, so that it is our resource owner's to release.
void release(LOCKTAG const &tag, LOCKMODE mode) { LockRelease(&tag, mode, false); }

constexpr LOCKMODE passing = RowExclusiveLock, barring = ExclusiveLock;

bool lock_under_gate(LOCKTAG const &gate, LOCKTAG const &key, patience how) {
    if (acquire(gate, barring, how) == LOCKACQUIRE_NOT_AVAIL)
        return false;
    LockAcquireResult result = acquire(key, ExclusiveLock, how);
    if (result == LOCKACQUIRE_NOT_AVAIL)
        return false;
    release(key, ExclusiveLock); // of one that we had before, what we added
    return true;
}

bool lock_by_itself(LOCKTAG const &gate, LOCKTAG const &key, patience how) {
    for (;;) {
        LockAcquireResult result = acquire(key, ExclusiveLock, how);
        if (result != LOCKACQUIRE_OK)
            return result != LOCKACQUIRE_NOT_AVAIL; // had before
        if (acquire(gate, passing, patience::does_not_wait) != LOCKACQUIRE_NOT_AVAIL) {
            release(gate, passing);
            taken++;
            return true;
        }
        release(key, ExclusiveLock);
        if (how == patience::does_not_wait)
            return false;
        acquire(gate, passing, how);
        release(gate, passing);
    }
}

bool lock_key(lock_class which, Oid space, int64 key, patience how) {
    LOCKTAG gate = gate_of(which, space), tag = lock_tag(which, key);
    return is_large() ? lock_under_gate(gate, tag, how) : lock_by_itself(gate, tag, how);
}

} // namespace

void lock_key(lock_class which, Oid space, int64 key) { (void)lock_key(which, space, key, patience::waits); }

bool try_lock_key(lock_class which, Oid space, int64 key) {
    return lock_key(which, space, key, patience::does_not_wait);
}

} // namespace weir::pg
