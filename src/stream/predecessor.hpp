// SPDX-License-Identifier: PostgreSQL
//
// The two tables of a stream, as a writer has them open, and what the newest rows in them say about the row that is
// to follow.
//
// A close and a drop leave a control record: a row that decides what may follow. One whose transaction is still in
// progress is waited for, one that was rolled back never happened.
#pragma once

#include "pg/pg.hpp"

#include "core/document_bound.hpp"
#include "core/rate.hpp"
#include "log/insert.hpp"
#include "log/table.hpp"

namespace weir::stream {

struct tables {
    log::table logged;
    log::table unlogged;
    bool best_effort; // which of the two is written; the other is opened when needed
    bool both;
};

tables open_target(bool best_effort);
void open_other(tables &t);
void close_tables(tables &t);
void make_ready(tables const &t, log::rows const &rows);

// Read under the lock.
struct predecessor {
    int64 id;               // newest position in what was looked at, -1: none
    bool target_empty;      // there is none in the table that is written
    bool alive;             // a row of the stream's is there and not deleted
    TransactionId wait_for; // valid: its close or drop decides first
    bool closed;
    int64 closed_at;
    bool purged; // dropped long ago, and the name forgotten since
    bool ended;  // the name has another log
    bool behind_own_drop;
    int64 ordinal;
    core::document_bound document;
    int64 best_effort_ordinal;
    int64 best_effort_floor;
    int32 best_effort_maxlen;
    core::rate_state rate;
};

predecessor look_back(tables const &t, int64 stream_id);

} // namespace weir::stream
