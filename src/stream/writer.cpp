// SPDX-License-Identifier: PostgreSQL
//
// Order of things, which is the point of it (src/log/README.md):
//   tables and their locks, the xid, the tuples, compression  -- may wait
//   the log's short lock
//       the newest row of either table, the clock, the mint
//       heap and index inserts, or those of a guard
//   unlock                                                    -- long before commit
//   what the guard stands for                                 -- where that takes long
//
// A predecessor that closes or drops the stream and is still in flight is waited
// for outside of the lock; then everything is looked at afresh.
#include "pg/pg.hpp"

#include "core/document_bound.hpp"
#include "core/position.hpp"
#include "core/rate.hpp"
#include "doorbell/marks.hpp"
#include "log/clock.hpp"
#include "log/insert.hpp"
#include "log/lock.hpp"
#include "log/newest.hpp"
#include "log/ready.hpp"
#include "name/reserved.hpp"
#include "pg/error.hpp"
#include "pg/memory.hpp"
#include "pg/settings.hpp"
#include "pg/text.hpp"
#include "stream/floors.hpp"
#include "stream/housekeeping.hpp"
#include "stream/fold.hpp"
#include "stream/best_effort.hpp"
#include "stream/lifetime.hpp"
#include "stream/properties.hpp"
#include "stream/writer.hpp"

namespace weir::stream {

namespace {

enum class fate { aborted, in_flight, done };

fate fate_of(TransactionId xmin) {
    if (!TransactionIdIsNormal(xmin) || TransactionIdIsCurrentTransactionId(xmin))
        return fate::done;
    if (TransactionIdIsInProgress(xmin))
        return fate::in_flight;
    return TransactionIdDidCommit(xmin) ? fate::done : fate::aborted;
}

log_prefix const &as_log(log::entry const &e) { return *reinterpret_cast<log_prefix const *>(e.prefix); }
best_effort_prefix const &as_best_effort(log::entry const &e) {
    return *reinterpret_cast<best_effort_prefix const *>(e.prefix);
}

bool is_turning_point(char m) { return m == static_cast<char>(mode::close) || m == static_cast<char>(mode::dropped); }

bool decides(log::entry const &e) { return is_turning_point(as_log(e).mode) || (as_log(e).ordinal & behind_own_drop); }
bool decides_best_effort(log::entry const &e) { return as_best_effort(e).ordinal & behind_own_drop; }

// A close or drop that was rolled back never happened, nor what stood on it. Other
// logged rows that were rolled back are as good a predecessor as any.
bool is_undone(log::entry const &e) { return decides(e) && fate_of(e.xmin) == fate::aborted; }

// Ordinals of best-effort frames decide what is retained, so here those that were
// rolled back do not count, as far as that is known by now.
bool is_undone_best_effort(log::entry const &e) {
    return TransactionIdIsNormal(e.xmin) && !TransactionIdIsCurrentTransactionId(e.xmin) &&
           TransactionIdDidAbort(e.xmin);
}
constexpr int most_undone = 1000; // looked past; a writer that rolls back all the time is none of our trouble

struct tables {
    log::table logged;
    log::table unlogged;
    bool best_effort; // which of the two is written; the other is opened when needed
    bool both;
};

tables open_target(bool best_effort) {
    tables t{};
    t.best_effort = best_effort;
    (best_effort ? t.unlogged : t.logged) = log::open(best_effort ? best_effort_source : log_source, RowExclusiveLock);
    (void)GetCurrentTransactionId(); // may wait or write, so not under the lock
    doorbell::prepare();
    if (best_effort)
        prepare_floors();
    return t;
}

void open_other(tables &t) {
    (t.best_effort ? t.logged : t.unlogged) =
        log::open(t.best_effort ? log_source : best_effort_source, AccessShareLock);
    t.both = true;
}

void close_tables(tables &t) {
    if (t.both || !t.best_effort)
        log::close(t.logged);
    if (t.both || t.best_effort)
        log::close(t.unlogged);
}

void make_ready(tables const &t, log::rows const &rows) {
    log::until_ready([&] {
        log::make_ready(rows);
        if (t.both || !t.best_effort)
            log::make_ready(t.logged);
        if (t.both || t.best_effort)
            log::make_ready(t.unlogged);
    });
}

// What the stream's newest rows say, read under the lock.
struct predecessor {
    int64 id;               // newest position in what was looked at, -1: none
    bool target_empty;      // there is none in the table that is written
    bool alive;             // a row of the stream's is there and not deleted
    TransactionId wait_for; // valid: its close or drop decides first
    bool closed;
    int64 closed_at;
    bool purged; // dropped long ago, and the name forgotten since
    bool behind_own_drop;
    int64 ordinal;
    core::document_bound document;
    int64 best_effort_ordinal;
    int64 best_effort_floor;
    int32 best_effort_maxlen;
    core::rate_state rate;
};

// A close or drop mark that is not undone.
void heed_mark(predecessor &p, log::entry const &mark) {
    log_prefix const &row = as_log(mark);
    bool deleted = TransactionIdIsValid(mark.xmax);
    if (fate_of(mark.xmin) == fate::in_flight) {
        p.wait_for = mark.xmin;
    } else if (deleted && fate_of(mark.xmax) == fate::in_flight) {
        p.wait_for = mark.xmax;
    } else if (deleted && fate_of(mark.xmax) == fate::done) {
        p.purged = true;
    } else if (row.mode == static_cast<char>(mode::close)) {
        p.closed = true;
        p.closed_at = row.id;
    } else { // what follows is a new stream
        p.ordinal = 0;
        p.document = {};
        p.behind_own_drop = TransactionIdIsCurrentTransactionId(mark.xmin);
    }
}

// A row that stands on a drop of its transaction.
void heed_row_behind_drop(predecessor &p, log::entry const &row) {
    if (TransactionIdIsCurrentTransactionId(row.xmin))
        p.behind_own_drop = true;
    else if (fate_of(row.xmin) == fate::in_flight)
        p.wait_for = row.xmin;
}

bool is_alive(log::entry const &e) {
    return e.readable && (!TransactionIdIsValid(e.xmax) || fate_of(e.xmax) != fate::done);
}

predecessor look_back(tables const &t, int64 stream_id) {
    predecessor p{};
    p.best_effort_floor = -1;
    log::entry logged, unlogged;
    if (t.both || !t.best_effort)
        logged = log::newest(t.logged, stream_id, is_undone);
    if (t.both || t.best_effort)
        unlogged = log::newest(t.unlogged, stream_id, is_undone_best_effort, most_undone);
    p.id = logged.id > unlogged.id ? logged.id : unlogged.id;
    p.target_empty = (t.best_effort ? unlogged.id : logged.id) < 0;
    p.alive = is_alive(logged) || is_alive(unlogged);
    if (logged.readable) {
        p.ordinal = ordinal_of(as_log(logged));
        p.document = core::document_bound::unpack(as_log(logged).version);
        if (is_turning_point(as_log(logged).mode))
            heed_mark(p, logged);
        else if (decides(logged))
            heed_row_behind_drop(p, logged);
    }
    if (unlogged.readable && decides_best_effort(unlogged))
        heed_row_behind_drop(p, unlogged);
    if (is_alive(unlogged)) { // a drop deletes it: what comes then starts anew
        best_effort_prefix const &row = as_best_effort(unlogged);
        p.best_effort_ordinal = ordinal_of(row);
        p.best_effort_floor = row.floor;
        p.best_effort_maxlen = row.maxlen;
        p.rate = {row.rate, row.window_start, row.window_count};
    }
    return p;
}

[[noreturn]] void raise_closed(std::string_view name) {
    ereport(ERROR,
            (errcode(pg::errcode_stream_closed), errmsg("stream \"%.*s\" is closed", pg::shown(name), name.data()),
             errhint("Append to another stream, or drop this one first with weir.drop_stream().")));
    pg_unreachable();
}

// Large values are compressed before the lock, not under it.
Datum compressed(Relation heap, int column, Datum value) {
    if (VARSIZE_ANY(DatumGetPointer(value)) < TOAST_TUPLE_THRESHOLD)
        return value;
    Datum smaller = toast_compress_datum(value, TupleDescAttr(RelationGetDescr(heap), column - 1)->attcompression);
    return DatumGetPointer(smaller) == nullptr ? value : smaller;
}

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
        values[used - 1] = compressed(heap, used, value);
        nulls[used - 1] = false;
    }
    nulls[headers_column - 1] = headers.isnull;
    values[headers_column - 1] = headers.isnull ? Datum{0} : compressed(heap, headers_column, headers.value);
}

HeapTuple make_tuple(log::table const &t, request const &r, int i) {
    Datum values[best_effort_column::count] = {};
    bool nulls[best_effort_column::count] = {};
    if (r.best_effort) {
        values[best_effort_column::maxlen - 1] = Int32GetDatum(0);
        values[best_effort_column::ttl_ms - 1] = Int32GetDatum(r.settings.ttl_ms);
        describe(values, nulls, best_effort_column::type, t.heap, r, i);
    } else {
        values[log_column::mode - 1] = CharGetDatum(static_cast<char>(r.mode));
        describe(values, nulls, log_column::type, t.heap, r, i);
    }
    return heap_form_tuple(RelationGetDescr(t.heap), values, nulls);
}

// A row that is inserted for others which take long, if they do.
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

// The row at each of the positions, the guard last.
HeapTuple row_at(log::rows const &rows, int i) { return i == rows.count ? rows.guard : rows.tuples[i]; }

int64 flags_of(log::rows const &rows, int i, bool is_behind_own_drop) {
    return (is_behind_own_drop ? behind_own_drop : 0) | (rows.guard != nullptr ? log::place_in_range(i) : 0);
}

int64 count_upto(log::rows const &rows, int i) { return i < rows.count ? i + 1 : i; }

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
                      best_effort_settings const &s) {
    core::rate_state rate = core::rate_append(p.rate, now_us, rows.count, s.ema_alpha);
    bool is_mark = s.ttl_ms == 0;
    if (is_mark)
        rate = p.rate;
    int64 maxlen =
        is_mark ? p.best_effort_maxlen
                : core::maxlen(core::rate_at(rate, now_us, s.ema_alpha), s.ttl_ms, s.maxlen_floor, s.maxlen_ceiling);
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
    }
}

// What a patch does to the size of the document, as far as that is known from its bound.
struct document_change {
    int64 growth; // at the most, in units
    bool replaces;
    bool measured; // then of what is settled:
    int64 units;
    core::document_bound as_of; // and its bound, which this may be far below
    core::document_bound next;  // the bound with the patch, where it fits
    int measurings;
};

// Under the lock. Patches behind what was measured are counted as what they added to the bound.
bool fits(document_change &c, core::document_bound const &before) {
    int64 limit = core::in_units(pg::settings::max_document_bytes);
    if (!c.replaces && before.units + c.growth <= limit) {
        c.next = before.plus(c.growth);
        return true;
    }
    int64 units = c.replaces ? 0 : c.units + before.units - c.as_of.units;
    bool known = c.replaces || (c.measured && before.generation == c.as_of.generation);
    c.next = before.set(units + c.growth);
    return known && units + c.growth <= limit;
}

[[noreturn]] void raise_document_too_large(std::string_view name) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("summary document of stream \"%.*s\" would be too large", pg::shown(name), name.data()),
                    errdetail("With this patch it may have more than %d bytes.", pg::settings::max_document_bytes),
                    errhint("Replace the document by a smaller one with replace => true, or raise "
                            "weir.max_document_bytes.")));
    pg_unreachable();
}

// Not under the lock: folds the document, to see how large it really is.
void measure_document(document_change &c, std::string_view name, int64 stream_id, core::document_bound const &before) {
    constexpr int most = 3; // while others measure, too
    if (c.replaces || c.measurings++ == most || (c.measured && c.as_of.version == before.version))
        raise_document_too_large(name);
    CommandCounterIncrement(); // what this statement appended before counts
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    folded f = fold_log(stream_id, core::greatest, latest, want::document_within_bounds);
    UnregisterSnapshot(latest);
    if (f.too_large)
        raise_document_too_large(name);
    c.measured = true;
    c.as_of = core::document_bound::unpack(f.packed_version);
    c.units = f.document == nullptr ? 0 : core::in_units(core::measure(pg::container_of(f.document)));
}

enum class if_closed { raise, stop, ignore };

struct turn {
    bool stopped; // closed, and the lock is not held
    predecessor before;
    int64 first_id;
    int64 now_us;
};

// Takes the log's lock and mints, or waits, retries or raises with it released. An
// id that was only remembered may have been purged: then the log is empty, or its
// mark deleted, and the name is looked up again.
// rules: the stream's properties, for whoever appends; nullptr for marks, which go on behind its end.
turn take_turn(tables &t, std::string_view name, known_stream &stream, log::rows const &rows, if_closed closed,
               document_change *change, properties *rules) {
    int count = log::positions(rows);
    for (int64 wanted_ms = log::clock::now_us() / 1000 + 1;;) {
        if (!log::clock::covers(wanted_ms)) {
            if (t.best_effort) // others wait for their own WAL anyway
                ask_to_move_clock();
            log::clock::cover(wanted_ms);
        }

        CHECK_FOR_INTERRUPTS();
        int64 stream_id = stream.id;
        make_ready(t, rows);
        log::lock(stream_id);
        turn taken{false, look_back(t, stream_id), -1, log::clock::now_us()};
        predecessor const &before = taken.before;
        log::handed_out known = log::recall(stream_id, taken.now_us / 1000);
        if (!t.both && (!known.exact || before.target_empty || !before.alive || (t.best_effort && known.turned) ||
                        (rules != nullptr && has_lifetime(*rules)))) {
            log::unlock(stream_id);
            open_other(t);
            continue;
        }
        if (TransactionIdIsValid(before.wait_for)) {
            log::unlock(stream_id);
            XactLockTableWait(before.wait_for, nullptr, nullptr, XLTW_None);
            continue;
        }
        if (before.purged || (!before.alive && stream.from_memory)) {
            log::unlock(stream_id);
            stream = look_up_or_create(name);
            if (before.purged && stream.id == stream_id)
                elog(ERROR, "mark of stream " INT64_FORMAT " is deleted, but not its name", stream_id);
            if (rules != nullptr)
                *rules = properties_of(stream.id);
            continue;
        }
        if (rules != nullptr && has_lifetime(*rules) &&
            end_of(*rules, newest_of_life(t.logged, &t.unlogged, stream_id)) <= taken.now_us / 1000) {
            log::unlock(stream_id);
            end_if_over(name, stream_id);
            *rules = properties_of(stream_id);
            continue;
        }
        // What weir writes itself goes on, whatever somebody did to the stream.
        if (before.closed && closed != if_closed::ignore && !name::is_reserved(name)) {
            log::unlock(stream_id);
            if (closed == if_closed::raise)
                raise_closed(name);
            taken.stopped = true;
            return taken;
        }
        if (change != nullptr && !fits(*change, before.document)) {
            log::unlock(stream_id);
            measure_document(*change, name, stream_id, before.document);
            continue;
        }
        int64 last = known.last > before.id ? known.last : before.id;
        if (before.id < 0 && !known.exact)
            last = log::greatest_handed_out(taken.now_us / 1000);
        taken.first_id = core::mint(last, taken.now_us / 1000, log::clock::floor(), count);
        if (taken.first_id < 0) {
            log::unlock(stream_id);
            ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                            errmsg("no position is left in stream \"%.*s\"", pg::shown(name), name.data())));
        }
        int64 last_id = taken.first_id + count - 1;
        wanted_ms = core::ms_of(last_id);
        if (log::clock::covers(wanted_ms)) {
            log::remember(stream_id, last_id, closed != if_closed::raise || before.behind_own_drop);
            return taken;
        }
        log::unlock(stream_id); // the log is ahead of the clock, or we waited for the lock for long
    }
}

written write_rows(known_stream &stream, request const &r, if_closed closed) {
    tables t = open_target(r.best_effort);
    log::table &target = r.best_effort ? t.unlogged : t.logged;
    HeapTuple *tuples = pg::palloc_array_of<HeapTuple>(r.count);
    for (int i = 0; i < r.count; i++)
        tuples[i] = make_tuple(target, r, i);
    log::rows rows = log::prepare(target, tuples, r.count, make_guard(target, tuples, r));

    document_change change{r.growth, r.mode == mode::replace, false, 0, {}, {}, 0};
    bool patches = !r.best_effort && is_patch(r.mode);
    properties rules = closed == if_closed::raise ? properties_of(stream.id) : default_properties();
    turn taken = take_turn(t, r.name, stream, rows, closed, patches ? &change : nullptr,
                           closed == if_closed::raise ? &rules : nullptr);
    core::document_bound document = patches ? change.next : taken.before.document;
    int64 stream_id = stream.id;
    // Before the rows are there, in case that fails.
    doorbell::note(stream_id, r.name, taken.first_id, taken.first_id + r.count - 1);
    if (r.best_effort)
        fill_best_effort(rows, taken.before, stream_id, taken.first_id, taken.now_us, r.settings);
    else
        fill_log(rows, taken.before, stream_id, taken.first_id, r.mode, document);
    log::insert(target, rows);
    log::unlock(stream_id);
    log::insert_guarded(target, rows);

    predecessor const &p = taken.before;
    written result{taken.first_id, taken.first_id + r.count - 1,
                   (r.best_effort ? p.best_effort_ordinal : p.ordinal) + r.count, document.version,
                   r.best_effort ? log::prefix_of<best_effort_prefix>(rows.tuples[0])->maxlen : 0};
    log::release(rows);
    close_tables(t);
    return result;
}

} // namespace

written write(known_stream &stream, request const &r) { return write_rows(stream, r, if_closed::raise); }

void write_best_effort_mark(std::string_view name, known_stream &stream) {
    Datum nothing = 0;
    request r{};
    r.name = name;
    r.best_effort = true;
    r.count = 1;
    r.values = &nothing;
    r.type = r.headers = {Datum{0}, true};
    write_rows(stream, r, if_closed::ignore);
}

mark write_mark(std::string_view name, known_stream &stream, enum mode kind, Datum payload) {
    tables t = open_target(false);
    request r{};
    r.name = name;
    r.mode = kind;
    r.count = 1;
    r.values = &payload;
    r.type = r.headers = {Datum{0}, true};
    HeapTuple tuple = make_tuple(t.logged, r, 0);
    log::rows rows = log::prepare(t.logged, &tuple, 1, nullptr); // a mark has to be the newest row

    turn taken =
        take_turn(t, name, stream, rows, kind == mode::dropped ? if_closed::ignore : if_closed::stop, nullptr, nullptr);
    int64 stream_id = stream.id;
    if (taken.stopped) {
        log::release(rows);
        close_tables(t);
        return {true, taken.before.closed_at};
    }
    doorbell::note(stream_id, name, taken.first_id, taken.first_id);
    fill_log(rows, taken.before, stream_id, taken.first_id, kind, taken.before.document);
    log::insert(t.logged, rows);
    log::unlock(stream_id);
    log::release(rows);
    close_tables(t);
    return {false, taken.first_id};
}

} // namespace weir::stream
