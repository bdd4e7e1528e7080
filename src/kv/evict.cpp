// SPDX-License-Identifier: PostgreSQL
//
// The oldest keys go as those do whose time is over: by a change that says so, behind which housekeeping removes what
// they were. A key that is being written is none of the oldest.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "kv/change.hpp"
#include "kv/evict.hpp"
#include "kv/expire.hpp"
#include "kv/properties.hpp"
#include "log/scan.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"

namespace weir::kv {

bool make_room(int64 bucket_id, checkpoint const &c) {
    constexpr int max_a_step = 200;
    properties p = properties_of(bucket_id);
    if (!p.is_set(property::max_bytes) || p.integer(property::evict) == 0)
        return false;
    int64 over = c.bytes - p.integer(property::max_bytes);
    int evicted = 0;
    Snapshot latest = pg::take_snapshot();
    log::table t = log::open(log_source, AccessShareLock);
    log::scan s;
    log::begin(s, t, bucket_id, -1, core::greatest, ForwardScanDirection, latest, log::purpose::upkeep);
    MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "weir change", ALLOCSET_DEFAULT_SIZES);
    while (over > 0 && evicted < max_a_step && log::next(s) == log::step::frame) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext before = MemoryContextSwitchTo(per_row);
        prefix const row = prefix_of(s.slot);
        int64 size = size_of(s.slot);
        if (op_of(row) == op::put && expire(bucket_id, row.revision, key_of(s.slot)) == expiry::written) {
            over -= size - static_cast<int64>(key_of(s.slot).size());
            evicted++;
        }
        MemoryContextSwitchTo(before);
        MemoryContextReset(per_row);
    }
    log::end(s);
    log::close(t);
    UnregisterSnapshot(latest);
    MemoryContextDelete(per_row);
    return evicted > 0;
}

} // namespace weir::kv
