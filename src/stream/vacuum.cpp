// SPDX-License-Identifier: PostgreSQL
//
// The vacuum of best-effort frames. They are deleted as fast as they come, and between
// two rounds of autovacuum (a minute by default) the table would grow to many times
// what is kept. Where there is no housekeeper, autovacuum is what remains.
#include "pg/pg.hpp"

#include "pg/monotonic.hpp"
#include "stream/frame.hpp"
#include "stream/housekeeping.hpp"

namespace weir::stream {

namespace {

constexpr int64 least_dead_rows = 4096;
constexpr const char *vacuum_sql = "VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF, PARALLEL 0) weir.frame_best_effort";

int64 not_before = 0; // after one in vain

struct amounts {
    int64 dead;
    int64 live;

    // As many dead rows as live ones are worth a vacuum, so it stays a constant share
    // of the work that makes them.
    bool is_worth_it() const { return dead >= (live > least_dead_rows ? live : least_dead_rows); }
};

amounts look() {
    amounts out{};
    pgstat_report_stat(true);
    StartTransactionCommand();
    Oid table = log::relation_oid(best_effort_source);
    if (Relation unlogged = try_relation_open(table, AccessShareLock)) {
        out.live = static_cast<int64>(unlogged->rd_rel->reltuples);
        out.dead = pg::compat::dead_rows(table);
        relation_close(unlogged, AccessShareLock);
    }
    CommitTransactionCommand();
    return out;
}

void run_vacuum() {
    MemoryContext memory = AllocSetContextCreate(TopMemoryContext, "weir vacuum", ALLOCSET_DEFAULT_SIZES);
    StartTransactionCommand();
    MemoryContext before = MemoryContextSwitchTo(memory);
    auto *raw = linitial_node(RawStmt, raw_parser(vacuum_sql, RAW_PARSE_DEFAULT));
    MemoryContextSwitchTo(before);
    PortalContext = memory; // where it keeps what outlives its transactions
    PG_TRY();
    {
        ExecVacuum(make_parsestate(nullptr), castNode(VacuumStmt, raw->stmt), true);
    }
    PG_FINALLY();
    {
        PortalContext = nullptr;
        MemoryContextSwitchTo(TopMemoryContext);
    }
    PG_END_TRY();
    CommitTransactionCommand();
    MemoryContextDelete(memory);
}

} // namespace

worker::outcome vacuum_step(int64) {
    int64 started = pg::monotonic_us();
    if (started < not_before)
        return {worker::outcome::what::done, not_before - started};
    if (!look().is_worth_it())
        return {};
    run_vacuum();
    if (!look().is_worth_it())
        return {};
    // Most of the dead are still there, visible to some old snapshot: not more than a twentieth of the time, then.
    int64 now = pg::monotonic_us();
    not_before = now + 19 * (now - started);
    return {worker::outcome::what::done, not_before - now};
}

} // namespace weir::stream
