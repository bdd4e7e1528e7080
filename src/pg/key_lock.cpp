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

// By the server's table of conflicts: no two modes of passing conflict, and a mode of barring does
// with those of passing and barring that its hold does not go with.
struct modes {
    LOCKMODE key, passing, barring;
};

constexpr modes modes_of(hold how) {
    switch (how) {
    case hold::writing:
        return {RowExclusiveLock, RowShareLock, ShareLock};
    case hold::reading: // of two that bar, one waits: no mode lets readers alone through
        return {ShareLock, RowExclusiveLock, ExclusiveLock};
    case hold::alone:
        break;
    }
    return {ExclusiveLock, RowExclusiveLock, ExclusiveLock};
}

bool lock_under_gate(LOCKTAG const &gate, LOCKTAG const &key, modes m, patience how) {
    if (acquire(gate, m.barring, how) == LOCKACQUIRE_NOT_AVAIL)
        return false;
    LockAcquireResult result = acquire(key, m.key, how);
    if (result == LOCKACQUIRE_NOT_AVAIL)
        return false;
    release(key, m.key); // of one that we had before, what we added
    return true;
}

bool lock_by_itself(LOCKTAG const &gate, LOCKTAG const &key, modes m, patience how) {
    for (;;) {
        LockAcquireResult result = acquire(key, m.key, how);
        if (result != LOCKACQUIRE_OK)
            return result != LOCKACQUIRE_NOT_AVAIL; // had before
        if (acquire(gate, m.passing, patience::does_not_wait) != LOCKACQUIRE_NOT_AVAIL) {
            release(gate, m.passing);
            taken++;
            return true;
        }
        release(key, m.key);
        if (how == patience::does_not_wait)
            return false;
        acquire(gate, m.passing, how);
        release(gate, m.passing);
    }
}

bool lock_key(lock_class which, Oid space, int64 key, hold wanted, patience how) {
    LOCKTAG gate = gate_of(which, space), tag = lock_tag(which, key);
    modes m = modes_of(wanted);
    return is_large() ? lock_under_gate(gate, tag, m, how) : lock_by_itself(gate, tag, m, how);
}

} // namespace

void lock_key(lock_class which, Oid space, int64 key, hold how) {
    (void)lock_key(which, space, key, how, patience::waits);
}

bool try_lock_key(lock_class which, Oid space, int64 key, hold how) {
    return lock_key(which, space, key, how, patience::does_not_wait);
}

void lock_space(lock_class which, Oid space) {
    (void)acquire(gate_of(which, space), modes_of(hold::alone).barring, patience::waits);
}

} // namespace weir::pg
