// SPDX-License-Identifier: PostgreSQL
//
// The writer rule, for streams: one lock, one mint, rows and index entries.
#pragma once

#include "pg/pg.hpp"

#include "stream/names.hpp"
#include "stream/request.hpp"

namespace weir::stream {

struct written {
    int64 first_id;
    int64 last_id;
    int64 ordinal; // of the last row, in its table
    int64 version; // of the summary after it
    int64 maxlen;  // best effort: K in force
};

// Waits for a transaction that is closing or dropping the stream; raises
// stream_closed if it is closed. Where the id was remembered from a name that has
// been purged since, stream becomes that of the name now.
written write(known_stream &stream, request const &r);

// A best-effort row that no reader is given: it carries on for the newest one, which
// is about to be trimmed.
void write_best_effort_mark(std::string_view name, known_stream &stream);

struct mark {
    bool already; // the stream was closed before; id is that of its close mark
    int64 id;
};

// A row that stands for an event in the stream's life.
mark write_mark(std::string_view name, known_stream &stream, enum mode kind, Datum payload);

// The mark that a log begins with which takes the place of another one, above a position of that one. Its position.
int64 write_first_mark(std::string_view name, int64 stream_id, int64 above);

} // namespace weir::stream
