// SPDX-License-Identifier: PostgreSQL
//
// From what a caller asks for to the rows of the two tables: made before the lock, their
// leading columns filled in under it.
#pragma once

#include "pg/pg.hpp"

#include "log/insert.hpp"
#include "stream/properties.hpp"
#include "stream/predecessor.hpp"
#include "stream/request.hpp"

namespace weir::stream {

HeapTuple make_tuple(log::table const &t, request const &r, int i);

// A row that is inserted for others which take long; nullptr, where they do not.
HeapTuple make_guard(log::table const &t, HeapTuple const *tuples, request const &r);

// Under the lock.
void fill_log(log::rows &rows, predecessor const &p, int64 stream_id, int64 first_id, enum mode kind,
              core::document_bound document);
// is_mark: a row that no reader is given, and that goes on where the newest one stood.
void fill_best_effort(log::rows &rows, predecessor const &p, int64 stream_id, int64 first_id, int64 now_us,
                      bool is_mark, int64 ttl_ms, properties const &rules);

} // namespace weir::stream
