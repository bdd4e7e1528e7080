// SPDX-License-Identifier: PostgreSQL
//
// The versions of a key, newest first: a backward walk of the index on (bucket, key, revision) under a snapshot. What
// is in flight or rolled back lies at its head and is passed; the first one that is visible is the answer, however
// many older ones there are, removed or not.
#pragma once

#include "pg/pg.hpp"

#include "kv/change.hpp"

namespace weir::kv {

struct versions {
    Relation heap;
    Relation index;
    TupleTableSlot *slot; // the current one
    IndexScanDesc scan;   // nullptr: none has begun
    ScanKeyData keys[3];
    MemoryContext context; // of the scans: they may be begun in one that is reset before their end
};

void open_versions(versions &v);
void close_versions(versions &v); // also in the middle

// The key is a text that lives as long as the walk. Versions above upto are left out.
void seek(versions &v, int64 bucket_id, Datum key, int64 upto, Snapshot snapshot);
bool next_older(versions &v);

// The newest version up to a revision, whatever it is. False: there is none that the snapshot shows.
bool find_newest(versions &v, int64 bucket_id, Datum key, int64 upto, Snapshot snapshot);

} // namespace weir::kv
