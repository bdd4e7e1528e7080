// SPDX-License-Identifier: PostgreSQL
//
// How changes lie in weir.kv_log (sql/kv.sql). A bucket is a log: every change of a key is a row of its own, inserted
// at a revision and never updated. What a key is now says the newest of its changes; the index on (bucket, key,
// revision) finds it in one descent, whatever has been superseded.
//
// At least one row of a bucket stays once there was one: whoever removes the newest puts a mark behind it first
// (log/README.md).
#pragma once

#include "pg/pg.hpp"

#include "log/range.hpp"
#include "log/table.hpp"

namespace weir::kv {

enum class op : char {
    put = 'p',
    remove = 'd',  // the key is gone; what it was stays within the bucket's history
    purge = 'u',   // the key is gone, and what it was
    expire = 'e',  // its time was over, or the bucket had no room for it
    guard = 'g',   // behind rows that are inserted after the log's lock (log/range.hpp); of no key
    dropped = 'x', // everything before it is gone, what follows is a new bucket; of no key
};

// The leading columns: fixed-width, NOT NULL, read and filled in place.
struct prefix {
    int64 bucket_id;
    int64 revision;
    int64 ordinal;    // counts the changes given out in this bucket, also those rolled back; flags above
    int64 written;    // likewise their bytes: key, value and headers
    int64 expires_at; // milliseconds since 1970, 0: never
    char op;
};
static_assert(offsetof(prefix, op) == 40);

// Attribute numbers.
namespace column {
enum { bucket_id = 1, revision, ordinal, written, expires_at, op, key, value, bytes, headers };
inline constexpr int count = headers;
} // namespace column

extern log::source log_source;
extern log::source key_index;

inline enum op op_of(prefix const &row) { return static_cast<enum op>(row.op); }

// A change that somebody made, not a mark.
inline bool is_change(prefix const &row) { return op_of(row) != op::guard && op_of(row) != op::dropped; }

// Whether a key is there whose newest change is this one.
inline bool is_alive(prefix const &row, int64 now_ms) {
    return op_of(row) == op::put && (row.expires_at == 0 || row.expires_at > now_ms);
}

// Of the current row of a slot.
prefix const &prefix_of(TupleTableSlot *slot);
std::string_view key_of(TupleTableSlot *slot); // good until the slot moves on
int64 size_of(TupleTableSlot *slot);           // bytes of key, value and headers

} // namespace weir::kv
