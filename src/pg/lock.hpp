// SPDX-License-Identifier: PostgreSQL
//
// weir's heavyweight locks: the advisory lock space of the database under classes
// that no SQL function can reach (those use 1 and 2). Released by unlock() or by
// the end of the (sub)transaction.
#pragma once

#include "pg/pg.hpp"

namespace weir::pg {

enum class lock_class : uint16 {
    clock = 0x5701,        // moving the bound of positions; released at once
    maintenance = 0x5702,  // folding, trimming or dropping a stream; housekeeping tries for it (pg/key_lock.hpp)
    retention = 0x5703,    // shared: becoming one who holds events, held until commit; exclusive: removing events
    subscription = 0x5705, // moving the cursors of a subscription; held until commit
    mint = 0x5706,         // handing out positions of a key in order of commit (pg/key_lock.hpp)
    trim_to = 0x5707,      // trimming the rows of a key; others leave it alone (pg/key_lock.hpp)
    sender = 0x5708,       // sending what weir.notify() left in cells (doorbell/cells.hpp); held until commit
    kv_key = 0x5709,       // writing, changing or checking a key of a bucket (pg/key_lock.hpp)
    kv_bucket = 0x570a,    // shared: checking a key; exclusive: dropping the bucket; both held until commit
    lease = 0x5710,        // working under a lease, renewing, ending or issuing it (lease/row.hpp); held until commit
    lease_sweep = 0x5711,  // one sweep at a time; held until commit, only tried for
    lease_floor = 0x5712   // moving the bound of epochs; released at once
};

inline LOCKTAG lock_tag(lock_class which, int64 key) {
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<uint32>(key >> 32), static_cast<uint32>(key),
                         static_cast<uint16>(which));
    return tag;
}

// mode: any of the server's, with the conflicts that it has for tables.
inline void lock(lock_class which, int64 key, LOCKMODE mode = ExclusiveLock) {
    LOCKTAG tag = lock_tag(which, key);
    LockAcquire(&tag, mode, false, false);
}

inline bool try_lock(lock_class which, int64 key, LOCKMODE mode = ExclusiveLock) {
    LOCKTAG tag = lock_tag(which, key);
    return LockAcquire(&tag, mode, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

// Where even the lock table is full it is not to be had, and no error.
inline bool try_lock_quietly(lock_class which, int64 key, LOCKMODE mode = ExclusiveLock) {
    LOCKTAG tag = lock_tag(which, key);
    return compat::try_lock_quietly(&tag, mode) != LOCKACQUIRE_NOT_AVAIL;
}

inline void unlock(lock_class which, int64 key, LOCKMODE mode = ExclusiveLock) {
    LOCKTAG tag = lock_tag(which, key);
    LockRelease(&tag, mode, false);
}

} // namespace weir::pg
