// SPDX-License-Identifier: PostgreSQL
//
// The reader rule: walk one log of one table under a snapshot taken before, and
// stop at the first entry whose transaction was still running as of it.
//
// A scan pins a leaf and a heap page: collect a batch, end it, then return or
// wait; never park with one open.
#pragma once

#include "pg/pg.hpp"

#include "log/table.hpp"

namespace weir::log {

enum class step {
    frame,     // a row visible to the snapshot: id and slot
    unsettled, // nothing at or beyond id is settled: a transaction in flight has it, and may have yet to insert it
    end
};

// A serializable transaction's outcome may depend on what is read, but not on what
// is looked at for upkeep of the log's own: others would fail for that.
enum class purpose { reading, upkeep };

struct scan {
    table *t;
    int64 key;
    Snapshot snapshot;
    ScanDirection direction;
    IndexScanDesc index;
    TupleTableSlot *slot;
    ScanKeyData keys[3];
    int64 after;
    int64 upto;
    int64 id;
    TransactionId blocker; // the transaction, where unsettled
    bool tracked;          // rows that it meets are read, for the sake of serializable transactions
    bool open;
};

// Entries with after < id <= upto. The snapshot is registered or active and was
// taken before this call. Backward scans do not look for what is unsettled: upto
// must not lie beyond what is known to be settled.
void begin(scan &s, table &t, int64 key, int64 after, int64 upto, ScanDirection direction, Snapshot snapshot,
           purpose why = purpose::reading);
step next(scan &s);

// For a whole reading: what a scan tracks by itself are the rows that it meets, not
// that there are no others.
void track_reading(table const &t, Snapshot snapshot);
void end(scan &s);

// Deletes the current row. In the way may stand another transaction that is
// deleting it too, for whom nothing waits here: blocker is then that one.
enum class deletion { done, gone, blocked };
deletion remove(scan &s);

// The leading columns of the current row.
template <class Prefix> Prefix const *prefix_of(scan const &s) {
    bool ignored = false;
    HeapTuple tuple = ExecFetchSlotHeapTuple(s.slot, false, &ignored);
    return reinterpret_cast<Prefix const *>(reinterpret_cast<char *>(tuple->t_data) + tuple->t_data->t_hoff);
}

} // namespace weir::log
