// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "log/life.hpp"
#include "log/presence.hpp"
#include "log/scan.hpp"
#include "pg/error.hpp"
#include "pg/text.hpp"
#include "stream/ahead.hpp"
#include "stream/frame.hpp"
#include "stream/reader.hpp"
#include "stream/trimmed.hpp"

namespace weir::stream {

namespace {

struct edge {
    int64 id; // -1: there is none
    bool dropped;
};

// The first visible row after one position up to another, from either end.
edge edge_of(log::source &from, int64 stream_id, int64 after, int64 upto, ScanDirection direction, Snapshot snapshot) {
    edge e{-1, false};
    log::scan s;
    log::table t = log::open(from, AccessShareLock);
    log::begin(s, t, stream_id, after, upto, direction, snapshot, log::purpose::upkeep);
    if (log::next(s) == log::step::frame) {
        e.id = s.id;
        e.dropped = &from == &log_source && log::prefix_of<log_prefix>(s)->mode == static_cast<char>(mode::dropped);
    }
    log::end(s);
    log::close(t);
    return e;
}

log::presence presence_at(int64 stream_id, int64 position, Snapshot snapshot) {
    log::table logged = log::open(log_source, AccessShareLock);
    log::presence found = log::presence_of(logged, stream_id, position, snapshot);
    log::close(logged);
    return found;
}

bool is_reached(int64 stream_id, int64 position, int64 upto, Snapshot snapshot) {
    if (edge_of(log_source, stream_id, position - 1, upto, BackwardScanDirection, snapshot).id >= 0)
        return true;
    // Best-effort rows of a life that is over are there in a copy of the database.
    return !RecoveryInProgress() &&
           edge_of(best_effort_source, stream_id, position - 1, upto, BackwardScanDirection, snapshot).id >= 0;
}

bool is_trimmed(int64 stream_id, int64 position, Snapshot snapshot) {
    trimmed gone = trimmed_from(stream_id, snapshot);
    return position <= gone.upto || position < gone.below;
}

// Of a stream of that name that was dropped.
bool is_dropped(int64 stream_id, int64 position, Snapshot snapshot) {
    edge first = edge_of(log_source, stream_id, -1, core::greatest, ForwardScanDirection, snapshot);
    return first.dropped && position < first.id;
}

bool is_lost(int64 stream_id, int64 position, log::life::ending const &end, Snapshot snapshot) {
    switch (presence_at(stream_id, position, snapshot)) {
    case log::presence::visible:
    case log::presence::other:
        return false;
    case log::presence::undone:
        return true;
    case log::presence::none:
        break;
    }
    return !end.best_effort_only && !is_trimmed(stream_id, position, snapshot) &&
           !is_reached(stream_id, position, end.floor, snapshot) && !is_dropped(stream_id, position, snapshot);
}

struct text_of {
    char text[core::position_text_size];

    explicit text_of(int64 position) {
        if (position < 0)
            strlcpy(text, "none", sizeof text);
        else
            core::format_position(position, text);
    }
};

[[noreturn]] void raise_lost(std::string_view name, int64 stream_id, int64 after, Snapshot snapshot) {
    edge last = edge_of(log_source, stream_id, -1, after - 1, BackwardScanDirection, snapshot);
    text_of cursor{after}, newest{last.id};
    ereport(ERROR,
            (errcode(pg::errcode_cursor_ahead),
             errmsg("cursor %s is ahead of stream \"%.*s\"", cursor.text, pg::shown(name), name.data()),
             errdetail("It is from before a failover, a restore or a crash, and the stream does not have it. "
                       "The last position before it is %s.",
                       newest.text),
             errhint("Frames were lost, unless it was made from a time, for which since is there. Go on from %s to "
                     "read what the stream has instead.",
                     last.id < 0 ? "'-'" : newest.text)));
    pg_unreachable();
}

} // namespace

void check_not_lost(std::string_view name, int64 stream_id, int64 after, Snapshot snapshot) {
    if (after <= core::least)
        return;
    log::life::ending end = log::life::ending_of(after);
    if (end.over && is_lost(stream_id, after, end, snapshot))
        raise_lost(name, stream_id, after, snapshot);
}

// Up to the clock it may have been made from a time, or be of a frame that rolled back.
bool is_beyond(int64 stream_id, int64 position) {
    return !RecoveryInProgress() && core::ms_of(position) > log::clock::now_us() / 1000 &&
           position > newest_position(stream_id);
}

void check_not_ahead(std::string_view name, int64 stream_id, int64 after, Snapshot snapshot) {
    check_not_lost(name, stream_id, after, snapshot);
    if (after <= core::least || log::life::ending_of(after).over || !is_beyond(stream_id, after))
        return;
    text_of cursor{after}, head{find_frontier(stream_id, snapshot, true).head};
    ereport(ERROR, (errcode(pg::errcode_cursor_ahead),
                    errmsg("cursor %s is ahead of stream \"%.*s\"", cursor.text, pg::shown(name), name.data()),
                    errdetail("It lies beyond the clock of the server, and the newest position of the stream is %s.",
                              head.text),
                    errhint("It is of another server, whose frames may have been lost in a failover, or of a time to "
                            "come. Go on from weir.head().")));
}

} // namespace weir::stream
