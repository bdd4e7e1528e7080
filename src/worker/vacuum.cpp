// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "worker/post.hpp"
#include "worker/round.hpp"

namespace weir::worker {

namespace {

constexpr int64 least_vacuum_at = 4096;
constexpr const char *vacuum_sql = "VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF, PARALLEL 0) weir.frame_live";

result take_work() {
    result what = result::nothing;
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    slot *s = find_slot(MyDatabaseId);
    if (s->dead_rows >= s->vacuum_at)
        what = GetCurrentTimestamp() < s->vacuum_not_before ? result::not_now : result::done;
    if (what == result::done)
        s->dead_rows = 0;
    LWLockRelease(&shared().lock.lock);
    return what;
}

void rest_until(TimestampTz t) {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    find_slot(MyDatabaseId)->vacuum_not_before = t;
    LWLockRelease(&shared().lock.lock);
}

// As many dead rows as live ones are worth a vacuum, so it stays a constant share
// of the work that makes them.
void set_vacuum_at(double live_rows) {
    LWLockAcquire(&shared().lock.lock, LW_EXCLUSIVE);
    if (slot *s = find_slot(MyDatabaseId))
        s->vacuum_at = live_rows > least_vacuum_at ? static_cast<int64>(live_rows) : least_vacuum_at;
    LWLockRelease(&shared().lock.lock);
}

Oid live_table() {
    Oid schema = get_namespace_oid("weir", true);
    return OidIsValid(schema) ? get_relname_relid("frame_live", schema) : InvalidOid;
}

// False: there is no such table.
bool vacuum_live_frames(MemoryContext memory) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    bool there = OidIsValid(live_table());
    if (there) {
        pgstat_report_activity(STATE_RUNNING, vacuum_sql);
        MemoryContext before = MemoryContextSwitchTo(memory);
        auto *raw = linitial_node(RawStmt, raw_parser(vacuum_sql, RAW_PARSE_DEFAULT));
        MemoryContextSwitchTo(before);
        PortalContext = memory; // where it keeps what outlives its transactions
        ExecVacuum(make_parsestate(nullptr), castNode(VacuumStmt, raw->stmt), true);
        PortalContext = nullptr;
    }
    CommitTransactionCommand();
    MemoryContextReset(memory);
    return there;
}

// Learns what there is, and says whether most of the dead are still there, visible to some old snapshot.
bool was_in_vain() {
    double live_rows = 0;
    bool in_vain = false;
    StartTransactionCommand();
    Oid table = live_table();
    if (OidIsValid(table)) {
        if (Relation live = try_relation_open(table, AccessShareLock)) {
            live_rows = live->rd_rel->reltuples;
            in_vain = pg::compat::dead_rows(table) > live_rows + least_vacuum_at;
            relation_close(live, AccessShareLock);
        }
    }
    CommitTransactionCommand();
    set_vacuum_at(live_rows);
    return in_vain;
}

} // namespace

result vacuum_round(MemoryContext memory) {
    TimestampTz started = GetCurrentTimestamp();
    if (result what = take_work(); what != result::done)
        return what;
    if (!vacuum_live_frames(memory))
        return result::gone;
    bool in_vain = was_in_vain();
    pgstat_report_stat(true);
    pgstat_report_activity(STATE_IDLE, nullptr);
    TimestampTz now = GetCurrentTimestamp();
    if (in_vain) // not more than a twentieth of the time, then
        rest_until(now + 19 * (now - started));
    report_success({});
    return result::done;
}

} // namespace weir::worker
