// SPDX-License-Identifier: PostgreSQL
//
// What is a stream's own in the writer rule (log/writer.hpp): two tables, of which the one that is not written is
// opened only where it matters; control records of close and drop; names that were forgotten meanwhile; the size
// of the document.
#include "pg/pg.hpp"

#include "doorbell/marks.hpp"
#include "log/writer.hpp"
#include "name/reserved.hpp"
#include "pg/error.hpp"
#include "pg/memory.hpp"
#include "pg/text.hpp"
#include "stream/document_change.hpp"
#include "stream/frame.hpp"
#include "stream/housekeeping.hpp"
#include "stream/lifetime.hpp"
#include "stream/predecessor.hpp"
#include "stream/properties.hpp"
#include "stream/tuple.hpp"
#include "stream/writer.hpp"

namespace weir::stream {

namespace {

enum class if_closed { raise, stop, ignore };

[[noreturn]] void raise_closed(std::string_view name) {
    ereport(ERROR,
            (errcode(pg::errcode_stream_closed), errmsg("stream \"%.*s\" is closed", pg::shown(name), name.data()),
             errhint("Append to another stream, or drop this one first with weir.drop_stream().")));
    pg_unreachable();
}

// The policy of one append, or of a control record.
struct stream_policy {
    known_stream &stream;
    request const &r;
    if_closed closed;
    tables t;
    int64 above = -1; // of the log whose place this one takes
    log::rows const *rows = nullptr;
    document_change change = {r.growth, r.mode == mode::replace, false, 0, {}, {}, 0};
    predecessor before = {}; // as of the last look
    properties rules = appends() ? properties_of(stream.id) : default_properties();
    enum class need { other_table, name_anew, not_over, not_closed, smaller_document } need = need::other_table;

    // Control records go on behind a stream's end.
    bool appends() const { return closed == if_closed::raise; }

    // What the housekeeper writes into a log that has ended does not.
    bool goes_on() const { return appends() || r.mode == mode::close; }

    bool is_patched() const { return !r.best_effort && is_patch(r.mode); }

    int64 key() const { return stream.id; }
    std::string_view name() const { return r.name; }

    void before_clock_moves() const {
        if (r.best_effort) // others wait for their own WAL anyway
            ask_to_move_clock();
    }

    void make_ready() const { stream::make_ready(t, *rows); }

    // An id that was only remembered may have been purged: then the log is empty, or its mark deleted, and the
    // name is looked up again.
    log::judgement judge(log::last_assigned const &known, int64 now_us) {
        using verdict = log::judgement::verdict;
        before = look_back(t, stream.id);
        bool may_end = appends() && has_lifetime(rules);
        if (!t.both && (!known.exact || before.target_empty || !before.alive || may_end ||
                        (r.best_effort && known.control_record)))
            return needs(need::other_table);
        if (TransactionIdIsValid(before.wait_for))
            return {verdict::wait, before.wait_for};
        if (before.purged || (!before.alive && stream.from_memory) || (before.ended && goes_on()))
            return needs(need::name_anew);
        if (may_end && end_of(rules, newest_of_life(t.logged, &t.unlogged, stream.id)) <= now_us / 1000)
            return needs(need::not_over);
        // What weir writes itself goes on, whatever somebody did to the stream.
        if (before.closed && closed != if_closed::ignore && !name::is_reserved(r.name)) {
            if (closed == if_closed::stop)
                return {verdict::stop};
            return needs(need::not_closed);
        }
        if (is_patched() && !fits(change, before.document))
            return needs(need::smaller_document);
        return {verdict::assign, InvalidTransactionId, before.id, above, !appends() || before.behind_own_drop};
    }

    log::judgement needs(enum need what) {
        need = what;
        return {log::judgement::verdict::retry};
    }

    void resolve() {
        int64 stream_id = stream.id;
        switch (need) {
        case need::other_table:
            open_other(t);
            break;
        case need::name_anew:
            stream = look_up_or_create(r.name);
            if (before.purged && stream.id == stream_id)
                elog(ERROR, "mark of stream " INT64_FORMAT " is deleted, but not its name", stream_id);
            if (appends())
                rules = properties_of(stream.id);
            break;
        case need::not_over:
            end_if_over(r.name, stream);
            rules = properties_of(stream.id);
            break;
        case need::not_closed:
            raise_closed(r.name);
        case need::smaller_document:
            measure_document(change, r.name, stream_id, before.document);
            break;
        }
    }

    core::document_bound document() const { return is_patched() ? change.next : before.document; }

    void fill(log::assigned const &a, log::rows &into) const {
        // Before the rows are there, in case that fails.
        doorbell::note(stream.id, r.name, a.first, a.first + r.count - 1);
        if (r.best_effort)
            fill_best_effort(into, before, stream.id, a.first, a.now_us, closed == if_closed::ignore, r.ttl_ms, rules);
        else
            fill_log(into, before, stream.id, a.first, r.mode, document());
    }
};

// What is written, or why it is not (a.stopped).
struct outcome {
    log::assigned a;
    predecessor before;
    written done;
};

// A control record has to be the newest row, so it is never behind a guard.
outcome write_rows(known_stream &stream, request const &r, if_closed closed, bool may_be_guarded, int64 above = -1) {
    stream_policy policy{.stream = stream, .r = r, .closed = closed, .t = open_target(r.best_effort), .above = above};
    log::table &target = r.best_effort ? policy.t.unlogged : policy.t.logged;
    HeapTuple *tuples = pg::palloc_array_of<HeapTuple>(r.count);
    for (int i = 0; i < r.count; i++)
        tuples[i] = make_tuple(target, r, i);
    log::rows rows = log::prepare(target, tuples, r.count, may_be_guarded ? make_guard(target, tuples, r) : nullptr);
    policy.rows = &rows;

    outcome out{log::append(policy, target, rows), policy.before, {}};
    if (!out.a.stopped) {
        predecessor const &p = policy.before;
        out.done = {out.a.first, out.a.first + r.count - 1,
                    (r.best_effort ? p.best_effort_ordinal : p.ordinal) + r.count, policy.document().version,
                    r.best_effort ? log::prefix_of<best_effort_prefix>(rows.tuples[0])->maxlen : 0};
    }
    log::release(rows);
    close_tables(policy.t);
    return out;
}

request mark_request(std::string_view name, Datum *payload) {
    request r{};
    r.name = name;
    r.count = 1;
    r.values = payload;
    r.type = r.headers = {Datum{0}, true};
    return r;
}

} // namespace

namespace {

int64 bytes_of(NullableDatum const &d) {
    return d.isnull ? 0 : static_cast<int64>(toast_raw_datum_size(d.value)) - VARHDRSZ;
}

// Beside the server's limit, which no stream is above (stream/request).
void check_own_limit(int64 stream_id, request const &r) {
    int64 limit = properties_of(stream_id).integer(property::max_frame_bytes);
    if (likely(limit == none) || name::is_reserved(r.name))
        return;
    for (int i = 0; i < r.count; i++) {
        int64 size = bytes_of({r.values[i], false}) + bytes_of(type_at(r, i)) + bytes_of(headers_at(r, i));
        if (size > limit)
            ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                            errmsg("frame is too large for stream \"%.*s\"", pg::shown(r.name), r.name.data()),
                            errdetail("It has " INT64_FORMAT
                                      " bytes of payload, type and headers, the limit is " INT64_FORMAT ".",
                                      size, limit),
                            errhint("Split it, or raise max_frame_bytes with weir.alter_stream().")));
    }
}

} // namespace

written write(known_stream &stream, request const &r) {
    check_own_limit(stream.id, r);
    return write_rows(stream, r, if_closed::raise, true).done;
}

void write_best_effort_mark(std::string_view name, known_stream &stream) {
    Datum nothing = 0;
    request r = mark_request(name, &nothing);
    r.best_effort = true;
    write_rows(stream, r, if_closed::ignore, true);
}

mark write_mark(std::string_view name, known_stream &stream, enum mode kind, Datum payload) {
    request r = mark_request(name, &payload);
    r.mode = kind;
    outcome out = write_rows(stream, r,
                             kind == mode::dropped || kind == mode::ended ? if_closed::ignore : if_closed::stop, false);
    if (out.a.stopped)
        return {true, out.before.closed_at};
    return {false, out.a.first};
}

int64 write_first_mark(std::string_view name, int64 stream_id, int64 above) {
    known_stream stream{stream_id, false};
    Datum nothing = 0;
    request r = mark_request(name, &nothing);
    r.mode = mode::dropped;
    return write_rows(stream, r, if_closed::ignore, false, above).a.first;
}

} // namespace weir::stream
