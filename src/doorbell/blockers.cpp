// SPDX-License-Identifier: PostgreSQL
//
// Who keeps which log from settling: the first frame of each whose transaction is
// still running. Whoever writes holds a lock on a log's table, so where nobody does
// there is nothing to look for.
#include "pg/pg.hpp"

#include "doorbell/logs.hpp"
#include "name/access.hpp"
#include "name/registry.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"

namespace doorbell = weir::doorbell;
namespace name = weir::name;
namespace pg = weir::pg;

namespace {

struct output {
    pg::result_set rows;
    Snapshot snapshot;
    MemoryContext per_row;
};

void add_if_blocked(name::entry const &e, void *context) {
    auto &out = *static_cast<output *>(context);
    doorbell::logs const *logs = doorbell::logs_of(e.kind);
    if (logs == nullptr)
        return;
    MemoryContext before = MemoryContextSwitchTo(out.per_row);
    doorbell::unsettled u = logs->find_unsettled(e.id, out.snapshot);
    if (u.first >= 0 && !TransactionIdIsCurrentTransactionId(u.blocker)) {
        Datum values[] = {pg::to_text(e.name), Int64GetDatum(u.first),
                          TransactionIdGetDatum(SubTransGetTopmostTransaction(u.blocker))};
        bool nulls[] = {false, false, false};
        out.rows.add(values, nulls);
    }
    MemoryContextSwitchTo(before);
    MemoryContextReset(out.per_row);
}

bool add_open_if_blocked(name::entry const &e, void *context) {
    add_if_blocked(e, context);
    return true;
}

} // namespace

WEIR_FUNCTION(weir_list_blockers) {
    output out{pg::begin_result_set(fcinfo), nullptr, nullptr};
    // On a standby the locks are not there, but the transactions are.
    if (!RecoveryInProgress() && !doorbell::are_any_written())
        return Datum{0};
    // What is so now, in every isolation level.
    out.snapshot = RegisterSnapshot(GetLatestSnapshot());
    out.per_row = AllocSetContextCreate(CurrentMemoryContext, "weir blockers", ALLOCSET_DEFAULT_SIZES);
    if (name::may_monitor())
        name::for_each(out.snapshot, add_if_blocked, &out);
    else
        name::for_each_open({nullptr, GetUserId(), name::level::read, {}, {}}, out.snapshot, add_open_if_blocked, &out);
    MemoryContextDelete(out.per_row);
    UnregisterSnapshot(out.snapshot);
    return Datum{0};
}
