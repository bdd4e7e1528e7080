// SPDX-License-Identifier: PostgreSQL
//
// Streams that end by themselves: so long after their last append (ttl), or at a time
// (expires_at). An end is a drop, by the clock: whoever comes later finds no stream, whether or
// not the housekeeper has removed it yet, and an append begins a new one.
//
//   alive   now < end; any append moves the end of a ttl, one in flight, too
//   over    never alive again: an append looks under the log's lock, and nobody else moves the end
//   gone    dropped, by the housekeeper; or the name was given another log by the append, close or create_stream()
//           that came before it, at the same cost however long the stream is
//
// The log that had the name then ends with a row of mode ended, which whoever knew it by its id meets under its lock,
// and the new one begins above that. What is left of the old one is removed by the housekeeper. It has a name that
// nobody else can have until then, and for the day that names of dropped streams are kept (name/README.md).
//
// The ends that are due lie in an index (weir.stream_property.due_at). An append does not move them:
// the housekeeper looks at a stream when it is due, and enters the end as it is by then. So due_at is
// at or below the end, and says of a stream of best-effort frames that a crash took that it
// was in use. On a standby, which has no such frames, a ttl shows when the drop arrives.
#pragma once

#include "pg/pg.hpp"

#include "log/table.hpp"
#include "stream/names.hpp"
#include "stream/properties.hpp"
#include "worker/jobs.hpp"

namespace weir::stream {

inline constexpr int64 never = PG_INT64_MAX;

inline bool has_lifetime(properties const &p) { return p.due_ms != 0; }

// In milliseconds since 1970. newest: of the stream, -1: there is none.
int64 end_of(properties const &p, int64 newest);

// The newest position of the stream that counts for its end: not what was rolled back, nor what stands on a drop that
// is not committed, with which a new stream would begin. best_effort: nullptr on a standby.
int64 newest_of_life(log::table const &logged, log::table const *best_effort, int64 stream_id);

// As of now. stream_id: 0 for a name that is not known, which has no end.
bool is_over(int64 stream_id);

// The id of a stream by its name, as find(), but 0 for one that is over.
int64 find_living(std::string_view name, Snapshot snapshot);

// Within the call that gives a stream properties.
void ask_for_end(properties const &p);

// Where the stream is over, the name is given another log, which is the stream then. Waits for others who do that, and
// for none who have appended.
void end_if_over(std::string_view name, known_stream &stream);

// Removes some of a stream that is over, or drops what is left. Under its maintenance lock; waits
// for nobody.
worker::outcome end_step(std::string_view name, int64 stream_id);

// The same, of a log whose name has another one by now.
worker::outcome remove_ended_step(std::string_view name, int64 stream_id);

} // namespace weir::stream
