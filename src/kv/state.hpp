// SPDX-License-Identifier: PostgreSQL
//
// What a reader asks of a bucket: now, or as of a revision, within what is kept.
#pragma once

#include "pg/pg.hpp"

#include "kv/versions.hpp"

namespace weir::kv {

struct state {
    std::string_view bucket;
    int64 bucket_id; // 0: there is no such bucket
    Snapshot snapshot;
    int64 upto;          // the newest revision that counts
    bool is_past;        // as of a revision
    int64 at_ms;         // by which puts have expired
    int64 history_floor; // of a past state: below it changes may be missing
    int64 history;       // likewise: so many changes of a key are kept
};

// Registers the statement's snapshot.
state begin_state(FunctionCallInfo fcinfo, int revision_argument);
void end_state(state &s);

// Moves to the change that says what a key is. False: the key is not there. Of a past state, raises WR004 where what
// it said is not kept.
bool find(versions &v, state const &s, Datum key);

// The same, before any key is looked at, where every key counts.
void check_kept(state const &s);

} // namespace weir::kv
