// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/rate.hpp"
#include "stream/floors.hpp"
#include "stream/frame.hpp"
#include "stream/tuple.hpp"

namespace weir::stream {

namespace {

// Columns that describe the frame, which have one order in both tables.
void describe(Datum *values, bool *nulls, int type_column, Relation heap, request const &r, int i) {
    Datum value = r.values[i];
    NullableDatum const &type = type_at(r, i), &headers = headers_at(r, i);
    int payload_column = type_column + 1, bytes_column = type_column + 2, headers_column = type_column + 3;
    values[type_column - 1] = type.value;
    nulls[type_column - 1] = type.isnull;
    int used = r.bytes ? bytes_column : payload_column;
    nulls[payload_column - 1] = nulls[bytes_column - 1] = true;
    if (DatumGetPointer(value) != nullptr) { // a mark may carry nothing
        values[used - 1] = log::compressed(heap, used, value);
        nulls[used - 1] = false;
    }
    nulls[headers_column - 1] = headers.isnull;
    values[headers_column - 1] = headers.isnull ? Datum{0} : log::compressed(heap, headers_column, headers.value);
}

// The row at each of the positions, the guard last.
HeapTuple row_at(log::rows const &rows, int i) { return i == rows.count ? rows.guard : rows.tuples[i]; }

int64 flags_of(log::rows const &rows, int i, bool is_behind_own_drop) {
    return (is_behind_own_drop ? behind_own_drop : 0) | (rows.guard != nullptr ? log::place_in_range(i) : 0);
}

int64 count_upto(log::rows const &rows, int i) { return i < rows.count ? i + 1 : i; }

} // namespace

HeapTuple make_tuple(log::table const &t, request const &r, int i) {
    Datum values[best_effort_column::count] = {};
    bool nulls[best_effort_column::count] = {};
    if (r.best_effort) {
        values[best_effort_column::maxlen - 1] = Int32GetDatum(0);
        values[best_effort_column::ttl_ms - 1] = Int32GetDatum(0); // a mark's
        describe(values, nulls, best_effort_column::type, t.heap, r, i);
    } else {
        values[log_column::mode - 1] = CharGetDatum(static_cast<char>(r.mode));
        describe(values, nulls, log_column::type, t.heap, r, i);
    }
    return heap_form_tuple(RelationGetDescr(t.heap), values, nulls);
}

HeapTuple make_guard(log::table const &t, HeapTuple const *tuples, request const &r) {
    if (!log::takes_long(tuples, r.count))
        return nullptr;
    Datum nothing = 0;
    request g{};
    g.best_effort = r.best_effort;
    g.mode = mode::guard;
    g.values = &nothing;
    g.type = g.headers = {Datum{0}, true};
    return make_tuple(t, g, 0);
}

void fill_log(log::rows &rows, predecessor const &p, int64 stream_id, int64 first_id, enum mode kind,
              core::document_bound document) {
    bool counts = kind == mode::durable || is_patch(kind);
    for (int i = 0; i < log::positions(rows); i++) {
        auto *row = log::prefix_of<log_prefix>(row_at(rows, i));
        row->stream_id = stream_id;
        row->id = first_id + i;
        row->ordinal = (p.ordinal + (counts ? count_upto(rows, i) : 0)) | flags_of(rows, i, p.behind_own_drop);
        row->version = document.pack(); // patches come one by one
    }
}

void fill_best_effort(log::rows &rows, predecessor const &p, int64 stream_id, int64 first_id, int64 now_us,
                      bool is_mark, int64 ttl_ms, properties const &rules) {
    double alpha = rules.real(property::rate_alpha);
    int64 frame_ttl = rules.integer(property::frame_ttl);
    int64 own_ttl = is_mark ? 0 : ttl_ms > 0 ? ttl_ms : frame_ttl; // which is no measure for others' frames
    core::rate_state rate = is_mark ? p.rate : core::rate_append(p.rate, now_us, rows.count, alpha);
    int64 maxlen = is_mark
                       ? p.best_effort_maxlen
                       : core::maxlen(core::rate_at(rate, now_us, alpha), frame_ttl,
                                      rules.integer(property::maxlen_floor), rules.integer(property::maxlen_ceiling));
    int64 floor = trimmed_floor(stream_id);
    for (int i = 0; i < log::positions(rows); i++) {
        auto *row = log::prefix_of<best_effort_prefix>(row_at(rows, i));
        row->stream_id = stream_id;
        row->id = first_id + i;
        row->ordinal =
            (p.best_effort_ordinal + (is_mark ? 0 : count_upto(rows, i))) | flags_of(rows, i, p.behind_own_drop);
        row->floor = floor > p.best_effort_floor ? floor : p.best_effort_floor;
        row->rate = rate.rate_hz;
        row->window_start = rate.window_start_us;
        row->window_count = rate.window_count;
        row->maxlen = static_cast<int32>(maxlen);
        if (i < rows.count)
            row->ttl_ms = static_cast<int32>(own_ttl);
    }
}

} // namespace weir::stream
