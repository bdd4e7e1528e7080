// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/table.hpp"
#include "pg/error.hpp"
#include "pg/text.hpp"
#include "stream/reader.hpp"
#include "stream/trimmed.hpp"

namespace weir::stream {

namespace {

constinit log::source checkpoint_table{"checkpoint"};
constinit log::source checkpoint_index{"checkpoint_pkey"};

// Of the table in sql/stream.sql.
enum { stream_id_column = 1, trimmed_frames_column = 5, trimmed_below_column = 7, trimmed_upto_column = 8 };

void write_position(int64 position, char (&out)[core::position_text_size]) {
    if (position < 0)
        strlcpy(out, "none", sizeof out);
    else
        core::format_position(position, out);
}

} // namespace

// By hand, since every reader that has a cursor asks.
trimmed trimmed_from(int64 stream_id, Snapshot snapshot) {
    trimmed out{};
    ScanKeyData key;
    ScanKeyInit(&key, stream_id_column, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(stream_id));
    Relation table = log::open_relation(checkpoint_table, AccessShareLock);
    Relation index = log::open_relation(checkpoint_index, AccessShareLock);
    SysScanDesc scan = systable_beginscan_ordered(table, index, snapshot, 1, &key);
    if (HeapTuple row = systable_getnext_ordered(scan, BackwardScanDirection)) {
        out.upto = log::integer_of(row, trimmed_upto_column, table);
        out.below = log::integer_of(row, trimmed_below_column, table);
        out.frames = log::integer_of(row, trimmed_frames_column, table);
    }
    systable_endscan_ordered(scan);
    index_close(index, AccessShareLock);
    table_close(table, AccessShareLock);
    return out;
}

int64 first_after(int64 stream_id, int64 after, Snapshot snapshot) {
    reader r;
    int64 found = -1;
    open_reader(r, stream_id, after, core::greatest, false, ForwardScanDirection, snapshot);
    while (found < 0 && advance(r)) {
        if (is_for_readers(r))
            found = r.at->id;
    }
    close_reader(r);
    return found;
}

void raise_expired(std::string_view name, int64 stream_id, int64 after, int64 passed, trimmed const &gone,
                   Snapshot snapshot, const char *hint) {
    char cursor[core::position_text_size], upto[core::position_text_size], first[core::position_text_size];
    write_position(after < 0 ? 0 : after, cursor);
    write_position(gone.upto, upto);
    write_position(first_after(stream_id, gone.upto, snapshot), first);
    ereport(ERROR, (errcode(pg::errcode_cursor_expired),
                    errmsg("cursor %s of \"%.*s\" has expired", cursor, pg::shown(name), name.data()),
                    passed < 0 ? errdetail("Frames up to %s were removed, at most " INT64_FORMAT
                                           " of them after the cursor. The first position available is %s.",
                                           upto, gone.frames, first)
                               : errdetail("Frames up to %s were removed, " INT64_FORMAT
                                           " of them after the cursor. The first position available is %s.",
                                           upto, gone.frames - passed, first),
                    errhint("%s", hint)));
    pg_unreachable();
}

} // namespace weir::stream
