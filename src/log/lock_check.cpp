// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/lock_check.hpp"

#ifdef USE_ASSERT_CHECKING

namespace weir::log {

namespace {

constexpr int locks_between_resets = 8;

LWLock *checked = nullptr; // the lock that begin() was told of, until end()
int discards = 0;          // debug_discard_caches without us
long locks = 0;            // heavyweight, at the beginning
int until_reset = 0;

long count_locks() { return hash_get_num_entries(GetLockMethodLocalHash()); }

void invalidated(Datum, Oid) {
    if (checked == nullptr)
        return;
    bool held = LWLockHeldByMe(checked);
    checked = nullptr; // an error may have ended it
    debug_discard_caches = discards;
    if (held)
        elog(PANIC, "invalidations are processed under the lock of a log");
}

} // namespace

// Before the lock, since it empties caches and what follows fills some of them again.
void prepare_lock_check() {
    if (debug_discard_caches == 0 && --until_reset < 0) {
        until_reset = locks_between_resets;
        ResetCatalogCaches();
    }
}

void begin_lock_check(LWLock *lock) {
    static bool registered = false;
    if (!registered) {
        CacheRegisterRelcacheCallback(invalidated, 0);
        registered = true;
    }
    if (checked != nullptr)
        debug_discard_caches = discards;
    checked = nullptr;
    if (debug_discard_caches > 0)
        return;
    discards = debug_discard_caches;
    locks = count_locks();
    debug_discard_caches = 1;
    checked = lock;
}

void end_lock_check() {
    if (checked == nullptr)
        return;
    checked = nullptr;
    debug_discard_caches = discards;
    if (count_locks() != locks)
        elog(PANIC, "a heavyweight lock was taken under the lock of a log");
}

} // namespace weir::log

#endif
