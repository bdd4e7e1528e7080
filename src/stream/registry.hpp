// SPDX-License-Identifier: PostgreSQL
//
// Names of streams. A name keeps one id through drops, so a backend may remember
// it. A name that was dropped a day ago and not used since is purged: backends are told
// to forget, and a writer that had just remembered it finds the log without its mark
// and looks the name up again.
//
// Creating a name waits for nobody: under a short lock the table is searched for
// rows of any transaction, finished or not, and where another one in flight is
// creating the same name, its id is taken over in a row of our own. Whichever of
// the two commits, the name is there, with that id.
#pragma once

#include "pg/pg.hpp"

namespace weir::stream {

// The id of a stream, or 0 where the name is unknown to the snapshot.
int64 find(std::string_view name, Snapshot snapshot);

// The same, but never from this backend's memory.
int64 look_up(std::string_view name, Snapshot snapshot);

// The name of a stream, empty where there is none. Good until the next call here, in the
// same memory context.
std::string_view name_of(int64 stream_id, Snapshot snapshot);

// Hands over every name that has an id of its own, with that id.
void for_each(Snapshot snapshot, void (*take)(int64 stream_id, std::string_view name, void *context), void *context);

// The names that begin so and come after another one (byte by byte), in their order, with their
// ids, until take returns false.
void for_each_with_prefix(std::string_view prefix, std::string_view after, Snapshot snapshot,
                          bool (*take)(int64 stream_id, std::string_view name, void *context), void *context);

// Whether there are streams in this database: the extension, that is.
bool is_there();

struct known_stream {
    int64 id;
    bool from_memory; // not looked up in this call
};

// The id of a stream, made known if it is not.
known_stream find_or_create(std::string_view name);
known_stream look_up_or_create(std::string_view name); // without asking this backend's memory

// The least id above another that has a name, -1: there is none.
int64 next_stream(int64 after);

// Once this transaction commits, every backend drops the names it remembers.
void tell_others_to_forget();

// Enters a name, unless it is there, and returns its id, else 0. Waits for another transaction that is
// entering it.
int64 create(std::string_view name);

// Whether another transaction in flight has entered a name with this id.
bool is_in_flight(int64 stream_id);

// Whether a row would give a name another id, or an id another name.
bool is_at_odds(std::string_view name, int64 stream_id);

// Enters a name anew, as when its stream is dropped or made again (dropped_at: the mark's position,
// or -1); it keeps its id. Under the stream's maintenance lock.
void replace(std::string_view name, int64 stream_id, int64 dropped_at);

// Whether a name is entered as that of a dropped stream. It may have been used again since.
bool is_entered_as_dropped(int64 stream_id, Snapshot snapshot);

} // namespace weir::stream
