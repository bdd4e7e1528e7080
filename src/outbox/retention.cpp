// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "log/table.hpp"
#include "name/access.hpp"
#include "name/argument.hpp"
#include "outbox/cursor.hpp"
#include "outbox/retention.hpp"
#include "outbox/subscription.hpp"
#include "pg/function.hpp"
#include "pg/key_lock.hpp"
#include "pg/snapshot.hpp"
#include "pg/spi.hpp"
#include "pg/text.hpp"
#include "stream/fold.hpp"
#include "stream/lifecycle.hpp"
#include "stream/lifetime.hpp"
#include "stream/properties.hpp"
#include "stream/reader.hpp"
#include "stream/names.hpp"
#include "stream/trimmed.hpp"
#include "worker/jobs.hpp"

namespace weir::outbox {

namespace {

namespace spi = pg::spi;
using stream::property;

constexpr int64 run = 1024;                         // an append that crosses a multiple of so many asks for its stream
constexpr int64 look_after_us = 10 * USECS_PER_SEC; // an append, or a look, for all streams
constexpr int64 max_at_once = 4 * run;              // frames that one step removes at the most
constexpr int64 unbounded = PG_INT64_MAX;

constinit log::source property_table{"stream_property"};

constinit spi::statement next_statement{
    "SELECT stream_id FROM weir.stream_property WHERE retained AND stream_id OPERATOR(pg_catalog.>) $1"
    " ORDER BY stream_id LIMIT 1",
    1,
    {INT8OID}};

// none: no such bound.
struct policy {
    int64 max_age_ms;
    int64 max_frames;
    int64 hold_age_ms;
    int64 hold_frames;
};

bool policy_of(int64 stream_id, policy &out) {
    stream::properties p = stream::properties_of(stream_id);
    out = {p.integer(property::max_age), p.integer(property::max_frames), p.integer(property::hold_age),
           p.integer(property::hold_frames)};
    // What has ended goes as a whole; a trim would leave a mark behind it, and with that a sign of life.
    return (out.max_age_ms != stream::none || out.max_frames != stream::none) && !stream::is_over(stream_id);
}

// What is beyond one pair of bounds: older than a position, or one of the oldest so many.
struct excess {
    int64 below;
    int64 oldest;

    bool has(int64 id, int64 nth) const { return id < below || nth < oldest; }
};

excess beyond(int64 max_age_ms, int64 max_frames, int64 now_ms, int64 frames) {
    excess e{0, 0};
    if (max_age_ms >= 0 && now_ms > max_age_ms)
        e.below = core::make(now_ms - max_age_ms, 0);
    if (max_frames >= 0)
        e.oldest = frames - max_frames;
    return e;
}

struct holders {
    std::string_view stream;
    int64 stream_id;
    Snapshot snapshot;
    int64 read_upto; // the least cursor among those that hold; unbounded: nobody does
};

void take_holder(subscription const &s, void *context) {
    auto &h = *static_cast<holders *>(context);
    if (!s.hold || !covers(s, h.stream) || !name::may(s.owner, name::level::read, h.stream))
        return;
    int64 at = find_cursor(s.id, h.stream_id, h.snapshot).position;
    if (at < h.read_upto)
        h.read_upto = at;
}

// In how many milliseconds a frame that stays may go for its age, -1: never. What is held
// by somebody may go at once.
int64 comes_of_age_in(policy const &p, int64 id, bool is_held, int64 now_ms) {
    if (p.max_age_ms < 0)
        return -1;
    int64 left = core::ms_of(id) + p.max_age_ms - now_ms;
    return left > 0 ? left : is_held ? 0 : -1;
}

// What is left to do for a stream after a look at it.
struct rest {
    bool more;    // the budget was too small
    int64 due_ms; // when to look again, -1: not before something is appended
};

// The first position that stays, 0: all do.
int64 find_cutoff(policy const &p, std::string_view stream, int64 stream_id, int64 settled_below, int64 budget,
                  Snapshot snapshot, rest &left) {
    stream::folded now = stream::fold_log(stream_id, core::greatest, snapshot, stream::want::counts);
    int64 now_ms = log::clock::now_us() / 1000, frames = now.frames - now.trimmed_frames;
    excess policy_excess = beyond(p.max_age_ms, p.max_frames, now_ms, frames);
    excess hold_excess = beyond(p.hold_age_ms, p.hold_frames, now_ms, frames);
    holders held{stream, stream_id, snapshot, unbounded};
    for_each_subscription(snapshot, take_holder, &held);

    stream::reader r;
    int64 nth = 0, cutoff = 0;
    bool all = true;
    stream::open_reader(r, stream_id, now.trimmed_below - 1, settled_below - 1, false, ForwardScanDirection, snapshot);
    while (stream::advance(r)) {
        CHECK_FOR_INTERRUPTS();
        int64 id = r.at->id;
        if (!stream::is_frame(*log::prefix_of<stream::log_prefix>(*r.at)))
            continue;
        if (nth == budget || !policy_excess.has(id, nth) || (id > held.read_upto && !hold_excess.has(id, nth))) {
            cutoff = id;
            all = false;
            left.more = nth == budget;
            left.due_ms = comes_of_age_in(p, id, id > held.read_upto, now_ms);
            break;
        }
        nth++;
    }
    stream::close_reader(r);
    return nth == 0 ? 0 : all ? settled_below : cutoff;
}

// Under the stream's maintenance lock, and with nobody beginning to hold.
int64 apply(policy const &p, std::string_view stream, int64 stream_id, int64 budget, rest &left) {
    int64 newest = stream::newest_position(stream_id); // before the snapshot: see trim() in stream/lifecycle.cpp
    Snapshot snapshot = pg::take_snapshot();
    int64 unsettled = stream::find_frontier(stream_id, snapshot, false).unsettled;
    int64 settled_below = unsettled >= 0 && unsettled <= newest ? unsettled : newest + 1;
    int64 cutoff = find_cutoff(p, stream, stream_id, settled_below, budget, snapshot, left);
    int64 removed = cutoff > 0 ? stream::trim_settled(stream, stream_id, cutoff, snapshot) : 0;
    UnregisterSnapshot(snapshot);
    return removed;
}

// Memory of the call that is doing something else.
MemoryContext begin_side_work() {
    return MemoryContextSwitchTo(AllocSetContextCreate(CurrentMemoryContext, "weir retention", ALLOCSET_DEFAULT_SIZES));
}

void end_side_work(MemoryContext before) {
    MemoryContext own = MemoryContextSwitchTo(before);
    MemoryContextDelete(own);
}

int64 retain(int64 stream_id) {
    Snapshot snapshot = pg::take_snapshot();
    // Looking other names up may take the memory of this one away.
    std::string_view name = pg::view_of(pg::to_text(name::name_of(stream_id, snapshot)));
    UnregisterSnapshot(snapshot);
    policy p;
    if (!name::may(name::level::admin, name) || !policy_of(stream_id, p))
        return 0;
    pg::lock(pg::lock_class::retention, 0);
    pg::lock_key(pg::lock_class::maintenance, 0, stream_id);
    rest left{false, -1};
    return apply(p, name, stream_id, unbounded, left);
}

int64 retain(std::string_view stream) {
    Snapshot snapshot = pg::take_snapshot();
    int64 stream_id = stream::find(stream, snapshot);
    UnregisterSnapshot(snapshot);
    return stream_id == 0 ? 0 : retain(stream_id);
}

// Of the streams that have any: the next by its id, -1: there is none.
int64 next_retained(int64 after) {
    spi::session session = spi::begin(log::relation_oid(property_table));
    Snapshot snapshot = pg::take_snapshot();
    Datum value = Int64GetDatum(after);
    int64 next = -1;
    if (spi::read(next_statement, &value, nullptr, snapshot) > 0) {
        bool null = false;
        next = DatumGetInt64(spi::column(0, 1, &null));
    }
    UnregisterSnapshot(snapshot);
    spi::end(session);
    return next;
}

int64 retain_all() {
    int64 removed = 0;
    for (int64 id = next_retained(-1); id >= 0; id = next_retained(id)) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext before = begin_side_work();
        removed += retain(id);
        end_side_work(before);
    }
    return removed;
}

// The housekeeper's job ----------------------------------------------------------

int job;

worker::outcome retention_step(int64 stream_id) {
    Snapshot snapshot = pg::take_snapshot();
    // Looking other names up may take the memory of this one away.
    std::string_view name = pg::view_of(pg::to_text(name::name_of(stream_id, snapshot)));
    UnregisterSnapshot(snapshot);
    policy p;
    if (!policy_of(stream_id, p))
        return {};
    worker::say_of_use(job);
    if (!pg::try_lock(pg::lock_class::retention, 0) || !pg::try_lock_key(pg::lock_class::maintenance, 0, stream_id))
        return {worker::outcome::what::not_now};
    rest left{false, -1};
    (void)apply(p, name, stream_id, max_at_once, left);
    if (left.more)
        return {worker::outcome::what::more};
    if (left.due_ms < 0)
        return {};
    return {worker::outcome::what::done, left.due_ms * 1000 > look_after_us ? left.due_ms * 1000 : look_after_us};
}

int64 next_with_policy(int64 after) {
    if (after < 0)
        worker::say_of_no_use(job); // before looking: a policy that comes meanwhile says otherwise
    int64 next = next_retained(after);
    if (next >= 0)
        worker::say_of_use(job);
    return next;
}

} // namespace

void ask_for_retention(int64 stream_id, stream::written const &appended, int count) {
    if (!worker::is_of_use(job))
        return;
    if (appended.ordinal / run != (appended.ordinal - count) / run)
        worker::ask(job, stream_id);
    worker::ask_for_everything_within(job, look_after_us);
}

void ask_for_first_retention(int64 stream_id, stream::properties const &p) {
    if (p.is_set(property::max_age) || p.is_set(property::max_frames))
        worker::ask(job, stream_id);
}

void keep_retention_out() { pg::lock(pg::lock_class::retention, 0, ShareLock); }

void register_retention() {
    job = worker::register_job(
        {.name = "retention", .step = retention_step, .next_key = next_with_policy, .at_first = true});
}

} // namespace weir::outbox

namespace outbox = weir::outbox;

WEIR_FUNCTION(weir_retain) {
    weir::pg::require_writable("weir.retain()");
    if (PG_ARGISNULL(0))
        PG_RETURN_INT64(outbox::retain_all());
    PG_RETURN_INT64(outbox::retain(weir::name::name_argument(fcinfo, 0, weir::name::level::admin)));
}
