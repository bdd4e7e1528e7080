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
    maintenance = 0x5702,  // folding, trimming or dropping a stream; held until commit, appends only try for it
    subscription = 0x5705, // moving the cursors of a subscription; held until commit
    mint = 0x5706,         // handing out positions of a key in order of commit; held until then
    trim_to = 0x5707,      // trimming the rows of a key; held until commit, others leave it alone
    lease = 0x5710,        // shared: works under a lease; exclusive: ends or issues it; held until commit
    lease_sweep = 0x5711,  // one sweep at a time; held until commit, only tried for
    lease_floor = 0x5712   // moving the bound of epochs; released at once
};

inline LOCKTAG lock_tag(lock_class which, int64 key) {
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<uint32>(key >> 32), static_cast<uint32>(key),
                         static_cast<uint16>(which));
    return tag;
}

// mode: ExclusiveLock, or ShareLock.
inline void lock(lock_class which, int64 key, LOCKMODE mode = ExclusiveLock) {
    LOCKTAG tag = lock_tag(which, key);
    LockAcquire(&tag, mode, false, false);
}

inline bool try_lock(lock_class which, int64 key, LOCKMODE mode = ExclusiveLock) {
    LOCKTAG tag = lock_tag(which, key);
    return LockAcquire(&tag, mode, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

inline void unlock(lock_class which, int64 key, LOCKMODE mode = ExclusiveLock) {
    LOCKTAG tag = lock_tag(which, key);
    LockRelease(&tag, mode, false);
}

} // namespace weir::pg
