// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "stream/ahead.hpp"
#include "stream/reader.hpp"
#include "stream/names.hpp"
#include "stream/state.hpp"
#include "stream/trimmed.hpp"
#include "stream/watch.hpp"

namespace weir::stream {

outlook look_behind(int64 stream_id, int64 &position, filter const *wanted, row_names const &names, int &room,
                    Snapshot snapshot) {
    reader r;
    outlook found = outlook::nothing;
    MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "weir look", ALLOCSET_DEFAULT_SIZES);
    open_reader(r, stream_id, position, core::greatest, wanted == nullptr, ForwardScanDirection, snapshot);
    while (found == outlook::nothing && advance(r)) {
        CHECK_FOR_INTERRUPTS();
        stored_row row;
        MemoryContext before = MemoryContextSwitchTo(per_row);
        if (wanted == nullptr ? is_for_readers(r) : find_wanted(names, r, *wanted, row))
            found = outlook::frames;
        else if (wanted != nullptr) // marks of the log's own are few
            position = r.at->id;
        MemoryContextSwitchTo(before);
        MemoryContextReset(per_row);
        if (found == outlook::nothing && --room <= 0)
            found = outlook::unfinished;
    }
    close_reader(r);
    MemoryContextDelete(per_row);
    return found;
}

outlook look_at(watched &w, Snapshot snapshot) {
    int64 stream_id = find(w.name, snapshot);
    bool was_there = w.was_there;
    if (stream_id == 0)
        check_not_lost(w.name, 0, w.after, snapshot);
    if (stream_id == 0)
        return was_there ? outlook::dropped : outlook::nothing;
    state now = state_of(stream_id, snapshot);
    w.was_there = now.there;
    if (!now.there) // while it was waited for, or since it was read
        return was_there || w.after > core::least ? outlook::dropped : outlook::nothing;
    if (w.after > core::least && w.after < trimmed_from(stream_id, snapshot).upto)
        return outlook::expired;
    check_not_lost(w.name, stream_id, w.after, snapshot);
    if (now.closed && now.newest_logged <= w.after)
        return outlook::closed;
    int64 position = w.after;
    int room = INT_MAX;
    outlook found = look_behind(stream_id, position, nullptr, {}, room, snapshot);
    if (found == outlook::nothing)
        check_not_ahead(w.name, stream_id, w.after, snapshot);
    return found;
}

} // namespace weir::stream
