// SPDX-License-Identifier: PostgreSQL
//
// Who keeps which stream from settling: the first frame of each whose transaction is
// still running. Whoever writes frames holds a lock on one of their tables, so where
// nobody does there is nothing to look for.
#include "pg/pg.hpp"

#include "pg/function.hpp"
#include "pg/text.hpp"
#include "stream/reader.hpp"
#include "stream/names.hpp"

namespace pg = weir::pg;
namespace stream = weir::stream;

namespace {

bool is_written_by_others(weir::log::source &table) {
    LOCKTAG tag;
    SET_LOCKTAG_RELATION(tag, MyDatabaseId, weir::log::relation_oid(table));
    int count = 0;
    (void)GetLockConflicts(&tag, ShareLock, &count);
    return count > 0;
}

struct output {
    pg::result_set rows;
    Snapshot snapshot;
    MemoryContext per_row;
};

void add_if_blocked(weir::name::entry const &e, void *context) {
    auto &out = *static_cast<output *>(context);
    MemoryContext before = MemoryContextSwitchTo(out.per_row);
    stream::frontier f = stream::find_frontier(e.id, out.snapshot, true);
    if (f.unsettled >= 0 && !TransactionIdIsCurrentTransactionId(f.blocker)) {
        Datum values[] = {pg::to_text(e.name), Int64GetDatum(f.unsettled),
                          TransactionIdGetDatum(SubTransGetTopmostTransaction(f.blocker))};
        bool nulls[] = {false, false, false};
        out.rows.add(values, nulls);
    }
    MemoryContextSwitchTo(before);
    MemoryContextReset(out.per_row);
}

} // namespace

WEIR_FUNCTION(weir_list_blockers) {
    output out{pg::begin_result_set(fcinfo), nullptr, nullptr};
    // On a standby the locks are not there, but the transactions are.
    if (!RecoveryInProgress() && !is_written_by_others(stream::log_source) &&
        !is_written_by_others(stream::best_effort_source))
        return Datum{0};
    // What is so now, in every isolation level.
    out.snapshot = RegisterSnapshot(GetLatestSnapshot());
    out.per_row = AllocSetContextCreate(CurrentMemoryContext, "weir blockers", ALLOCSET_DEFAULT_SIZES);
    weir::name::for_each(out.snapshot, add_if_blocked, &out);
    MemoryContextDelete(out.per_row);
    UnregisterSnapshot(out.snapshot);
    return Datum{0};
}
