// SPDX-License-Identifier: PostgreSQL
//
// The turns in a stream's life: create, close, trim, drop. Trim and drop take the
// stream's maintenance lock until commit, so that they and the housekeeper do not work on
// the same checkpoints.
#include "pg/pg.hpp"

#include "core/glob.hpp"
#include "core/position.hpp"
#include "log/life.hpp"
#include "log/scan.hpp"
#include "name/argument.hpp"
#include "name/reserved.hpp"
#include "pg/error.hpp"
#include "pg/function.hpp"
#include "pg/json.hpp"
#include "pg/key_lock.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"
#include "stream/hooks.hpp"
#include "stream/housekeeping.hpp"
#include "stream/idempotency.hpp"
#include "stream/lifecycle.hpp"
#include "stream/lifetime.hpp"
#include "stream/properties.hpp"
#include "stream/reader.hpp"
#include "stream/names.hpp"
#include "stream/request.hpp"
#include "stream/state.hpp"
#include "stream/trimmed.hpp"
#include "stream/upkeep.hpp"
#include "stream/writer.hpp"

namespace core = weir::core;
namespace log_ = weir::log;
namespace name = weir::name;
namespace pg = weir::pg;
namespace stream = weir::stream;
using log_::step;
using stream::mode;

namespace {

Datum reason_payload(FunctionCallInfo fcinfo, int n) {
    pg::json_writer payload;
    payload.begin_object();
    if (!PG_ARGISNULL(n)) {
        std::string_view reason = pg::view_of(PG_GETARG_DATUM(n));
        if (reason.size() > 8192)
            ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("reason is too long"),
                            errdetail("It has %zu bytes, the limit is 8192.", reason.size())));
        payload.add("reason", reason);
    }
    return JsonbPGetDatum(payload.finish());
}

struct removed {
    int64 frames; // that readers could still be given
    int64 logged_frames;
    int64 logged_bytes;
    int64 newest_frame;    // the newest logged frame among them, 0: there was none
    TransactionId blocker; // stopped at what is in flight
    int64 upto;            // removed from one table up to it
    bool more;             // there may be more than was to be removed at once
};

void count_logged(removed &out, log_::scan &s) {
    if (!stream::is_frame(*log_::prefix_of<stream::log_prefix>(s)))
        return;
    out.frames++;
    out.logged_frames++;
    out.logged_bytes += stream::frame_size(s.slot, stream::log_column::type);
    out.newest_frame = s.id;
}

// Deletes the settled rows of one table after one position and below another. The end of a stream stays.
void remove_rows(removed &out, log_::source &from, int64 stream_id, int64 after, int64 below, bool keep_close,
                 Snapshot snapshot, stream::retention const *kept, int most = INT_MAX) {
    bool best_effort = &from == &stream::best_effort_source;
    log_::table t = log_::open(from, RowExclusiveLock);
    log_::scan s;
    log_::begin(s, t, stream_id, after, below - 1, ForwardScanDirection, snapshot);
    step at = log_::next(s);
    for (; at == step::frame; at = log_::next(s)) {
        CHECK_FOR_INTERRUPTS();
        if (most-- <= 0) {
            out.more = true;
            break;
        }
        if (!best_effort && keep_close &&
            log_::prefix_of<stream::log_prefix>(s)->mode == static_cast<char>(mode::close))
            continue;
        removed before = out;
        if (best_effort)
            out.frames += stream::is_retained(*log_::prefix_of<stream::best_effort_prefix>(s), *kept, 0);
        else
            count_logged(out, s);
        log_::deletion result = log_::remove(s);
        if (result != log_::deletion::done)
            out = before;
        if (result == log_::deletion::blocked)
            out.blocker = s.blocker;
        else
            out.upto = s.id;
    }
    if (at == step::unsettled)
        out.blocker = s.blocker;
    log_::end(s);
    log_::close(t);
}

// logged_after: no logged row is left at or below it, so that what earlier trims removed
// and nobody has vacuumed yet is not walked again.
removed remove_below(int64 stream_id, int64 logged_after, int64 below, bool keep_close, Snapshot snapshot) {
    removed out{};
    stream::retention kept = stream::retained(stream_id, snapshot);
    remove_rows(out, stream::log_source, stream_id, logged_after, below, keep_close, snapshot, nullptr);
    remove_rows(out, stream::best_effort_source, stream_id, kept.after, below, keep_close, snapshot, &kept);
    return out;
}

// The first position that stays when the newest `keep` frames do.
int64 cutoff_for(int64 stream_id, int64 keep, int64 settled_below, Snapshot snapshot) {
    stream::reader r;
    int64 cutoff = settled_below;
    stream::open_reader(r, stream_id, -1, settled_below - 1, true, BackwardScanDirection, snapshot);
    while (keep > 0 && stream::advance(r)) {
        if (!r.best_effort && !stream::is_frame(*log_::prefix_of<stream::log_prefix>(*r.at)))
            continue;
        cutoff = r.at->id;
        keep--;
    }
    stream::close_reader(r);
    return keep > 0 ? core::least : cutoff;
}

// On a stream that is there and under maintenance: its id cannot change.
int64 put_mark(std::string_view name, int64 stream_id, mode kind) {
    stream::known_stream to{stream_id, false};
    return stream::write_mark(name, to, kind, Datum{0}).id;
}

int64 newest_best_effort(int64 stream_id, Snapshot snapshot) {
    stream::retention kept = stream::retained(stream_id, snapshot);
    return kept.any ? kept.newest_id : -1;
}

// Removes what lies below cutoff and keeps what the stream amounted to there.
int64 trim_below(std::string_view name, int64 stream_id, int64 cutoff, stream::state const &now,
                 int64 newest_best_effort, Snapshot snapshot) {
    if (now.closed && cutoff > now.newest_logged) // the end stays, and readers begin where the trim left off
        cutoff = now.newest_logged;
    stream::folded edge = stream::fold_log(stream_id, cutoff - 1, snapshot, stream::want::document_within_bounds);
    Assert(edge.unsettled < 0);
    stream::folded latest = stream::fold_log(stream_id, core::greatest, snapshot, stream::want::document_within_bounds);
    if (cutoff > now.newest_logged) // no row would be left for the next one to go on from
        put_mark(name, stream_id, mode::trimmed);
    if (newest_best_effort >= 0 && cutoff > newest_best_effort) {
        stream::known_stream to{stream_id, false};
        stream::write_best_effort_mark(name, to);
    }
    removed gone = remove_below(stream_id, latest.trimmed_below - 1, cutoff, true, snapshot);
    // Below an earlier trim there are best-effort frames at the most.
    if (cutoff > latest.trimmed_below) {
        edge.position = cutoff - 1;
        edge.trimmed_below = latest.trimmed_below = cutoff;
        edge.trimmed_frames = latest.trimmed_frames += gone.logged_frames;
        edge.trimmed_bytes = latest.trimmed_bytes += gone.logged_bytes;
        if (gone.newest_frame > 0)
            latest.trimmed_upto = gone.newest_frame;
        edge.trimmed_upto = latest.trimmed_upto;
        stream::save_checkpoints(stream_id, edge, latest);
    }
    return gone.frames;
}

int64 trim(std::string_view name, int64 stream_id, int64 keep, int64 before) {
    // Before the snapshot: what is in the index by now is settled for it, or is met
    // as unsettled. What comes later is none of this trim's business.
    int64 newest = stream::newest_position(stream_id);
    Snapshot snapshot = pg::take_snapshot();
    int64 frames = 0;
    if (stream::state state = stream::state_of(stream_id, snapshot); state.there) {
        int64 unsettled = stream::find_frontier(stream_id, snapshot, true).unsettled;
        int64 settled_below = unsettled >= 0 && unsettled <= newest ? unsettled : newest + 1;
        int64 cutoff = keep >= 0 ? cutoff_for(stream_id, keep, settled_below, snapshot) : before;
        if (cutoff > settled_below)
            cutoff = settled_below;
        if (cutoff > 0)
            frames = trim_below(name, stream_id, cutoff, state, newest_best_effort(stream_id, snapshot), snapshot);
    }
    UnregisterSnapshot(snapshot);
    return frames;
}

// Before the mark is there, so that a transaction that has appended can go on and
// append again; with the mark it would have to wait for us, and we for it. On a busy
// stream there is always somebody, so not for ever.
void wait_for_appends(int64 stream_id) {
    for (int patience = 100; patience > 0; patience--) {
        Snapshot snapshot = pg::take_snapshot();
        TransactionId blocker = stream::find_frontier(stream_id, snapshot, true).blocker;
        UnregisterSnapshot(snapshot);
        if (!TransactionIdIsValid(blocker))
            return;
        XactLockTableWait(blocker, nullptr, nullptr, XLTW_None);
    }
}

bool is_there(int64 stream_id) {
    Snapshot snapshot = pg::take_snapshot();
    bool there = stream::state_of(stream_id, snapshot).there;
    UnregisterSnapshot(snapshot);
    return there;
}

// What there is of a stream beside its rows, its name and its properties.
void forget_all_of(int64 stream_id) {
    stream::forget_checkpoints(stream_id);
    stream::forget_keys(stream_id);
    stream::tell_of_drop(stream_id);
}

void drop_now(std::string_view name, int64 stream_id) {
    int64 mark = put_mark(name, stream_id, mode::dropped);
    // Appends in flight came before the drop and go with it: wait for each to end.
    for (TransactionId blocker = InvalidTransactionId;;) {
        Snapshot snapshot = pg::take_snapshot();
        int64 gone = stream::trimmed_from(stream_id, snapshot).below - 1;
        blocker = remove_below(stream_id, gone, mark, false, snapshot).blocker;
        UnregisterSnapshot(snapshot);
        if (!TransactionIdIsValid(blocker))
            break;
        XactLockTableWait(blocker, nullptr, nullptr, XLTW_None);
    }
    forget_all_of(stream_id);
    name::replace(stream::streams, name, stream_id, mark);
    stream::keep_properties(stream_id, stream::default_properties(), false);
    stream::ask_to_forget_names();
}

bool drop(std::string_view name, int64 stream_id) {
    bool over = stream::is_over(stream_id), there = is_there(stream_id);
    if (over || there) {
        wait_for_appends(stream_id);
        drop_now(name, stream_id);
    }
    return there;
}

int64 look_up_now(std::string_view name) {
    Snapshot snapshot = pg::take_snapshot();
    int64 stream_id = stream::look_up(name, snapshot);
    UnregisterSnapshot(snapshot);
    return stream_id;
}

// Looks a stream up and takes its maintenance lock; 0 where the name is unknown.
int64 take_stream(std::string_view name) {
    for (;;) {
        int64 stream_id = look_up_now(name);
        if (stream_id == 0)
            return 0;
        pg::lock_key(pg::lock_class::maintenance, 0, stream_id);
        if (look_up_now(name) == stream_id)
            return stream_id;
        // Purged while we waited; to keep a lock that nobody wants any more does no harm.
    }
}

struct name_list {
    std::string_view pattern;
    List *names; // text
};

// Of those that the caller may drop. What weir writes itself is dropped by its name alone: nobody means it by a
// pattern.
bool take_name(name::entry const &e, void *context) {
    auto &l = *static_cast<name_list *>(context);
    if (core::glob_matches(l.pattern, e.name) && !name::is_reserved(e.name))
        l.names = lappend(l.names, DatumGetPointer(pg::to_text(e.name)));
    return true;
}

List *matching_names(std::string_view pattern) {
    name_list l{pattern, nullptr};
    Snapshot snapshot = pg::take_snapshot();
    name::for_each_open({&stream::streams, GetUserId(), name::level::admin, name::literal_part(pattern), {}}, snapshot,
                        take_name, &l);
    UnregisterSnapshot(snapshot);
    return l.names;
}

[[noreturn]] void raise_exists(std::string_view name) {
    ereport(ERROR, (errcode(pg::errcode_already_exists),
                    errmsg("stream \"%.*s\" already exists", pg::shown(name), name.data()),
                    errhint("Properties of a stream that is there are changed with weir.alter_stream().")));
    pg_unreachable();
}

// Whoever appends from now on waits for this transaction, as behind a drop. What others append to
// the name at the same time makes it theirs.
void make_others_wait(std::string_view name, int64 stream_id) {
    pg::lock_key(pg::lock_class::maintenance, 0, stream_id);
    wait_for_appends(stream_id);
    int64 mark = put_mark(name, stream_id, mode::dropped);
    for (;;) {
        Snapshot snapshot = pg::take_snapshot();
        TransactionId blocker = stream::find_frontier(stream_id, snapshot, true).blocker;
        bool any = false;
        if (!TransactionIdIsValid(blocker)) {
            stream::reader r;
            stream::open_reader(r, stream_id, -1, mark, true, ForwardScanDirection, snapshot);
            while (!any && stream::advance(r))
                any = stream::is_for_readers(r);
            stream::close_reader(r);
        }
        UnregisterSnapshot(snapshot);
        if (any)
            raise_exists(name);
        if (!TransactionIdIsValid(blocker))
            return;
        XactLockTableWait(blocker, nullptr, nullptr, XLTW_None);
    }
}

constexpr int max_frames_at_once = 4096; // of a step of the housekeeper

// Another log for the name of one that is over; its id. What is left of the old one is the housekeeper's.
int64 succeed(std::string_view name, int64 old_id) {
    int64 above = put_mark(name, old_id, mode::ended);
    int64 id = log_::life::new_id();
    pg::lock_key(pg::lock_class::maintenance, 0, id);
    int64 mark = stream::write_first_mark(name, id, above);
    char old_name[64];
    int length = snprintf(old_name, sizeof old_name, "weir/ended/" INT64_FORMAT, old_id);
    name::succeed(stream::streams, stream::ended_streams,
                  {name, old_id, id, mark, {old_name, static_cast<std::size_t>(length)}});
    stream::ask_to_end_streams(0);
    return id;
}

} // namespace

namespace weir::stream {

int64 trim_settled(std::string_view name, int64 stream_id, int64 cutoff, Snapshot snapshot) {
    state now = state_of(stream_id, snapshot);
    if (!now.there || cutoff <= 0)
        return 0;
    return trim_below(name, stream_id, cutoff, now, newest_best_effort(stream_id, snapshot), snapshot);
}

void end_if_over(std::string_view name, known_stream &stream) {
    while (is_over(stream.id)) {
        pg::lock_key(pg::lock_class::maintenance, 0, stream.id);
        AcceptInvalidationMessages(); // whoever had the lock may have altered it, or come here too
        known_stream now = look_up_or_create(name);
        if (now.id == stream.id && is_over(stream.id))
            now.id = succeed(name, stream.id);
        stream = now;
    }
}

worker::outcome remove_ended_step(std::string_view name, int64 stream_id) {
    using worker::outcome;
    // Where the last step was, so that what it removed is not walked again. It may not have committed: so the last
    // pass is one from the beginning.
    static int64 last_stream = 0, last_upto = -1;
    int64 after = last_stream == stream_id ? last_upto : -1;
    last_stream = 0;
    int64 mark = newest_position(stream_id);
    Snapshot snapshot = pg::take_snapshot();
    removed gone{};
    gone.upto = after;
    retention kept = retained(stream_id, snapshot);
    remove_rows(gone, log_source, stream_id, after, mark, false, snapshot, nullptr, max_frames_at_once);
    if (!gone.more) {
        int64 upto = gone.upto;
        remove_rows(gone, best_effort_source, stream_id, -1, mark, false, snapshot, &kept, max_frames_at_once);
        gone.upto = upto;
    }
    UnregisterSnapshot(snapshot);
    if (TransactionIdIsValid(gone.blocker))
        return {outcome::what::not_now};
    if (gone.more) {
        last_stream = stream_id;
        last_upto = gone.upto;
        return {outcome::what::more};
    }
    if (after >= 0)
        return {outcome::what::more};
    forget_all_of(stream_id);
    name::replace(ended_streams, name, stream_id, mark);
    keep_properties(stream_id, default_properties(), false);
    ask_to_forget_names();
    return {};
}

worker::outcome end_step(std::string_view name, int64 stream_id) {
    Snapshot snapshot = pg::take_snapshot();
    bool in_flight = find_frontier(stream_id, snapshot, true).unsettled >= 0;
    int64 cutoff = -1;
    if (!in_flight) {
        reader r;
        int frames = 0;
        open_reader(r, stream_id, trimmed_from(stream_id, snapshot).below - 1, core::greatest, false,
                    ForwardScanDirection, snapshot);
        while (cutoff < 0 && advance(r))
            cutoff = frames++ == max_frames_at_once ? r.at->id : -1;
        close_reader(r);
        if (cutoff > 0)
            (void)trim_below(name, stream_id, cutoff, {}, newest_best_effort(stream_id, snapshot), snapshot);
    }
    UnregisterSnapshot(snapshot);
    if (in_flight)
        return {worker::outcome::what::not_now};
    if (cutoff > 0)
        return {worker::outcome::what::more};
    drop_now(name, stream_id);
    return {};
}

} // namespace weir::stream

WEIR_FUNCTION(weir_create_stream) {
    pg::require_writable("weir.create_stream()");
    std::string_view name = weir::name::target_argument(fcinfo, 0);
    stream::properties given = stream::take_properties(fcinfo, stream::change::create, stream::default_properties());
    stream::properties_agree(given);
    int64 made = 0, stream_id = 0;
    while (made == 0 && stream_id == 0) {
        made = name::create(stream::streams, name);
        stream_id = made != 0 ? 0 : take_stream(name);
    }
    if (made == 0) {
        stream::known_stream there{stream_id, false};
        stream::end_if_over(name, there);
        stream_id = there.id;
        if (is_there(stream_id))
            raise_exists(name);
        name::replace(stream::streams, name, stream_id, -1);
    }
    // Patches mean what they mean with it, so nobody is to append any meanwhile.
    if (given.is_set(stream::property::null_sentinel))
        make_others_wait(name, made != 0 ? made : stream_id);
    stream::keep_properties(made != 0 ? made : stream_id, given, made != 0);
    PG_RETURN_VOID();
}

WEIR_FUNCTION(weir_alter_stream) {
    pg::require_writable("weir.alter_stream()");
    std::string_view name = weir::name::name_argument(fcinfo, 0, weir::name::level::admin);
    int64 stream_id = take_stream(name);
    if (stream_id == 0 || !is_there(stream_id))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("stream \"%.*s\" does not exist", pg::shown(name), name.data()),
                        errhint("Create it with weir.create_stream(), which takes the same properties.")));
    stream::properties p = stream::take_properties(fcinfo, stream::change::alter, stream::properties_of(stream_id));
    stream::properties_agree(p);
    stream::keep_properties(stream_id, p, false);
    PG_RETURN_VOID();
}

WEIR_FUNCTION(weir_close) {
    pg::require_writable("weir.close()");
    std::string_view name = name::target_argument(fcinfo, 0);
    Datum payload = reason_payload(fcinfo, 1);
    stream::known_stream to = stream::find_or_create(name);
    stream::end_if_over(name, to);
    PG_RETURN_INT64(stream::write_mark(name, to, mode::close, payload).id);
}

WEIR_FUNCTION(weir_trim) {
    pg::require_writable("weir.trim()");
    std::string_view name = name::name_argument(fcinfo, 0, name::level::admin);
    if (PG_ARGISNULL(1) == PG_ARGISNULL(2))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("give exactly one of keep and before")));
    int64 keep = PG_ARGISNULL(1) ? -1 : PG_GETARG_INT64(1);
    if (!PG_ARGISNULL(1) && keep < 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("keep must not be negative")));
    int64 stream_id = take_stream(name);
    PG_RETURN_INT64(stream_id == 0 ? 0 : trim(name, stream_id, keep, PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2)));
}

WEIR_FUNCTION(weir_drop_stream) {
    pg::require_writable("weir.drop_stream()");
    std::string_view name = name::name_argument(fcinfo, 0, name::level::admin);
    int64 stream_id = take_stream(name);
    PG_RETURN_BOOL(stream_id != 0 && drop(name, stream_id));
}

WEIR_FUNCTION(weir_drop_streams) {
    pg::require_writable("weir.drop_streams()");
    List *names = matching_names(name::pattern_argument(fcinfo, 0, "pattern"));
    MemoryContext of_a_drop = AllocSetContextCreate(CurrentMemoryContext, "weir drop", ALLOCSET_DEFAULT_SIZES);
    int64 dropped = 0;
    for (int i = 0; i < list_length(names); i++) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext before = MemoryContextSwitchTo(of_a_drop);
        std::string_view name = pg::view_of(PointerGetDatum(list_nth(names, i)));
        int64 stream_id = take_stream(name);
        dropped += stream_id != 0 && drop(name, stream_id);
        MemoryContextSwitchTo(before);
        MemoryContextReset(of_a_drop);
    }
    PG_RETURN_INT64(dropped);
}
