// SPDX-License-Identifier: PostgreSQL
//
// Every difference between the server versions that weir builds on (15 to 17).
// No other file tests PG_VERSION_NUM.
#pragma once

#if PG_VERSION_NUM < 150000
#error "weir needs PostgreSQL 15 or later"
#endif

namespace weir::pg::compat {

// 16 wants the heap beside the index, 17 dropped the snapshot (with "snapshot too old").
inline BTStack bt_search(Relation index, [[maybe_unused]] Relation heap, BTScanInsert key, Buffer *leaf) {
#if PG_VERSION_NUM >= 170000
    return _bt_search(index, heap, key, leaf, BT_READ);
#elif PG_VERSION_NUM >= 160000
    return _bt_search(index, heap, key, leaf, BT_READ, nullptr);
#else
    return _bt_search(index, key, leaf, BT_READ, nullptr);
#endif
}

// A key that descends to the last entry not above it.
inline void bt_seek_backward([[maybe_unused]] BTScanInsert key) {
    key->nextkey = true;
#if PG_VERSION_NUM >= 170000
    key->backward = true;
#else
    key->pivotsearch = false;
#endif
}

// 16 also says which indexes want an entry; only a row that is not heap-only does.
inline TM_Result heap_update(Relation heap, ItemPointer tid, HeapTuple tuple, CommandId command, TM_FailureData *why) {
    LockTupleMode mode;
#if PG_VERSION_NUM >= 160000
    TU_UpdateIndexes indexes;
    return ::heap_update(heap, tid, tuple, command, InvalidSnapshot, true, why, &mode, &indexes);
#else
    return ::heap_update(heap, tid, tuple, command, InvalidSnapshot, true, why, &mode);
#endif
}

// Dead rows that the last vacuum of a table had to leave, or that came since.
inline int64 dead_rows(Oid table) {
    PgStat_StatTabEntry *entry = pgstat_fetch_stat_tabentry(table);
    if (entry == nullptr)
        return 0;
#if PG_VERSION_NUM >= 160000
    return entry->dead_tuples;
#else
    return entry->n_dead_tuples;
#endif
}

// A lock of the session's own, needed neither in a transaction nor for long; false: not to be had
// at once. 18 asks whether to log that.
inline bool try_session_lock(LOCKTAG const *tag, LOCKMODE mode) {
#if PG_VERSION_NUM >= 180000
    return LockAcquireExtended(tag, mode, true, true, false, nullptr, false) != LOCKACQUIRE_NOT_AVAIL;
#else
    return LockAcquireExtended(tag, mode, true, true, false, nullptr) != LOCKACQUIRE_NOT_AVAIL;
#endif
}

// What a waiting process of ours is shown to wait for: a worker for work, a backend for a frame.
enum class waits_for { work, frame };

inline uint32 wait_event([[maybe_unused]] waits_for what) {
#if PG_VERSION_NUM >= 170000
    static uint32 events[2] = {};
    uint32 &event = events[static_cast<int>(what)];
    if (event == 0)
        event = WaitEventExtensionNew(what == waits_for::work ? "WeirWorker" : "WeirFrame");
    return event;
#else
    return PG_WAIT_EXTENSION;
#endif
}

// 17 can limit how long a transaction lasts, from its start. The next transaction is under it again.
inline void suspend_transaction_timeout() {
#if PG_VERSION_NUM >= 170000
    disable_timeout(TRANSACTION_TIMEOUT, false);
#endif
}

// 16 can hand an error back; here it is raised.
inline List *qualified_name(const char *name) {
#if PG_VERSION_NUM >= 160000
    return stringToQualifiedNameList(name, nullptr);
#else
    return stringToQualifiedNameList(name);
#endif
}

// 18 can log that a lock could not be had.
inline LockAcquireResult try_lock_quietly(LOCKTAG const *tag, LOCKMODE mode) {
#if PG_VERSION_NUM >= 180000
    return LockAcquireExtended(tag, mode, false, true, false, nullptr, false);
#else
    return LockAcquireExtended(tag, mode, false, true, false, nullptr);
#endif
}

inline int own_proc_number() {
#if PG_VERSION_NUM >= 170000
    return MyProcNumber;
#else
    return MyProc->pgprocno;
#endif
}

// A number of the running transaction, of this backend's alone.
inline uint32 own_transaction() {
#if PG_VERSION_NUM >= 170000
    return MyProc->vxid.lxid;
#else
    return MyProc->lxid;
#endif
}

} // namespace weir::pg::compat
