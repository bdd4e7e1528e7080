// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "log/clock.hpp"
#include "log/table.hpp"
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
#include "stream/reader.hpp"
#include "stream/registry.hpp"
#include "stream/trimmed.hpp"
#include "worker/jobs.hpp"

namespace weir::outbox {

namespace {

namespace spi = pg::spi;

constexpr int64 run = 1024;                         // an append that crosses a multiple of so many asks for its topic
constexpr int64 look_after_us = 10 * USECS_PER_SEC; // an append, or a look, for all topics
constexpr int64 most_at_once = 4 * run;             // frames that one step removes at the most
constexpr int64 unbounded = PG_INT64_MAX;

constinit log::source policy_table{"retention_policy"};
constinit log::source policy_index{"retention_policy_pkey"};

constinit spi::statement topics_statement{"SELECT topic FROM weir.retention_policy ORDER BY topic", 0, {}};
constinit spi::statement enter_statement{
    "INSERT INTO weir.retention_policy AS p (topic, max_age_ms, max_frames, hold_age_ms, hold_frames)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (topic) DO UPDATE SET max_age_ms = EXCLUDED.max_age_ms,"
    " max_frames = EXCLUDED.max_frames, hold_age_ms = EXCLUDED.hold_age_ms, hold_frames = EXCLUDED.hold_frames",
    5,
    {TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID}};
constinit spi::statement remove_statement{
    "DELETE FROM weir.retention_policy WHERE topic OPERATOR(pg_catalog.=) $1", 1, {TEXTOID}};

// Of the table in sql/outbox.sql.
enum { topic_column = 1, age_column, frames_column, hold_age_column, hold_frames_column };

// -1: no such bound.
struct policy {
    int64 max_age_ms;
    int64 max_frames;
    int64 hold_age_ms;
    int64 hold_frames;
};

bool find_policy(std::string_view topic, Snapshot snapshot, policy &out) {
    ScanKeyData key = pg::is_named(topic_column, pg::to_text(topic));
    Relation table = log::open_relation(policy_table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(table, log::relation_oid(policy_index), true, snapshot, 1, &key);
    HeapTuple row = systable_getnext(scan);
    bool found = HeapTupleIsValid(row);
    if (found) {
        auto bound = [&](int column) {
            bool null = false;
            Datum value = heap_getattr(row, column, RelationGetDescr(table), &null);
            return null ? int64{-1} : DatumGetInt64(value);
        };
        out = {bound(age_column), bound(frames_column), bound(hold_age_column), bound(hold_frames_column)};
    }
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    return found;
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
    std::string_view topic;
    int64 stream_id;
    Snapshot snapshot;
    int64 read_upto; // the least cursor among those that hold; unbounded: nobody does
};

void take_holder(subscription const &s, void *context) {
    auto &h = *static_cast<holders *>(context);
    if (!s.hold || !covers(s, h.topic))
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

// What is left to do for a topic after a look at it.
struct rest {
    bool more;    // the budget was too small
    int64 due_ms; // when to look again, -1: not before something is appended
};

// The first position that stays, 0: all do.
int64 find_cutoff(policy const &p, std::string_view topic, int64 stream_id, int64 settled_below, int64 budget,
                  Snapshot snapshot, rest &left) {
    stream::folded now = stream::fold_log(stream_id, core::greatest, snapshot, stream::want::counts);
    int64 now_ms = log::clock::now_us() / 1000, frames = now.frames - now.trimmed_frames;
    excess policy_excess = beyond(p.max_age_ms, p.max_frames, now_ms, frames);
    excess hold_excess = beyond(p.hold_age_ms, p.hold_frames, now_ms, frames);
    holders held{topic, stream_id, snapshot, unbounded};
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
int64 apply(policy const &p, std::string_view topic, int64 stream_id, int64 budget, rest &left) {
    int64 newest = stream::newest_position(stream_id); // before the snapshot: see trim() in stream/lifecycle.cpp
    Snapshot snapshot = pg::take_snapshot();
    int64 unsettled = stream::find_frontier(stream_id, snapshot, false).unsettled;
    int64 settled_below = unsettled >= 0 && unsettled <= newest ? unsettled : newest + 1;
    int64 cutoff = find_cutoff(p, topic, stream_id, settled_below, budget, snapshot, left);
    int64 removed = cutoff > 0 ? stream::trim_settled(topic, stream_id, cutoff, snapshot) : 0;
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

int64 retain(std::string_view topic) {
    Snapshot snapshot = pg::take_snapshot();
    policy p;
    int64 stream_id = stream::find(topic, snapshot);
    bool found = stream_id != 0 && find_policy(topic, snapshot, p);
    UnregisterSnapshot(snapshot);
    if (!found)
        return 0;
    pg::lock(pg::lock_class::retention, 0);
    pg::lock_key(pg::lock_class::maintenance, 0, stream_id);
    rest left{false, -1};
    return apply(p, topic, stream_id, unbounded, left);
}

struct name_list {
    Datum *names;
    uint64 count;
};

name_list topics_with_policy() {
    MemoryContext memory = CurrentMemoryContext;
    spi::session session = spi::begin(log::relation_oid(policy_table));
    Snapshot snapshot = pg::take_snapshot();
    uint64 count = spi::read(topics_statement, nullptr, nullptr, snapshot);
    UnregisterSnapshot(snapshot);
    MemoryContext inner = MemoryContextSwitchTo(memory);
    name_list out{static_cast<Datum *>(palloc(sizeof(Datum) * (count + 1))), count};
    for (uint64 i = 0; i < count; i++) {
        bool null = false;
        out.names[i] = PointerGetDatum(DatumGetTextPCopy(spi::column(i, 1, &null)));
    }
    MemoryContextSwitchTo(inner);
    spi::end(session);
    return out;
}

int64 retain_all() {
    name_list topics = topics_with_policy();
    int64 removed = 0;
    for (uint64 i = 0; i < topics.count; i++) {
        MemoryContext before = begin_side_work();
        removed += retain(pg::view_of(topics.names[i]));
        end_side_work(before);
    }
    return removed;
}

// The housekeeper's job ----------------------------------------------------------

int job;

worker::outcome retention_step(int64 stream_id) {
    Snapshot snapshot = pg::take_snapshot();
    policy p;
    std::string_view remembered_name = stream::name_of(stream_id, snapshot);
    // Looking other names up may take that memory away.
    std::string_view name = pg::view_of(pg::to_text(remembered_name));
    bool found = find_policy(name, snapshot, p);
    UnregisterSnapshot(snapshot);
    if (!found)
        return {};
    if (!pg::try_lock(pg::lock_class::retention, 0) || !pg::try_lock_key(pg::lock_class::maintenance, 0, stream_id))
        return {worker::outcome::what::not_now};
    rest left{false, -1};
    (void)apply(p, name, stream_id, most_at_once, left);
    if (left.more)
        return {worker::outcome::what::more};
    if (left.due_ms < 0)
        return {};
    return {worker::outcome::what::done, left.due_ms * 1000 > look_after_us ? left.due_ms * 1000 : look_after_us};
}

int by_id(void const *a, void const *b) {
    int64 x = *static_cast<int64 const *>(a), y = *static_cast<int64 const *>(b);
    return x < y ? -1 : x > y;
}

// The streams with a policy, by their ids.
int64 *ids_of_pass = nullptr;
uint64 count_of_pass = 0;

void begin_pass() {
    worker::say_of_no_use(job); // before looking: a policy that comes meanwhile says otherwise
    name_list topics = topics_with_policy();
    if (topics.count > 0)
        worker::say_of_use(job);
    Snapshot snapshot = pg::take_snapshot();
    count_of_pass = 0;
    if (ids_of_pass != nullptr)
        pfree(ids_of_pass);
    ids_of_pass = static_cast<int64 *>(
        MemoryContextAllocHuge(TopMemoryContext, sizeof(int64) * static_cast<Size>(topics.count + 1)));
    for (uint64 i = 0; i < topics.count; i++) {
        if (int64 id = stream::find(pg::view_of(topics.names[i]), snapshot))
            ids_of_pass[count_of_pass++] = id;
    }
    UnregisterSnapshot(snapshot);
    qsort(ids_of_pass, count_of_pass, sizeof(int64), by_id);
}

int64 next_with_policy(int64 after) {
    if (after < 0)
        begin_pass();
    uint64 low = 0, high = count_of_pass;
    while (low < high) {
        uint64 middle = (low + high) / 2;
        (ids_of_pass[middle] > after ? high : low) = ids_of_pass[middle] > after ? middle : middle + 1;
    }
    return low < count_of_pass ? ids_of_pass[low] : -1;
}

constexpr int64 most_days = 36500;

// Months count 30 days.
NullableDatum age_argument(FunctionCallInfo fcinfo, int n, const char *called) {
    if (PG_ARGISNULL(n))
        return {Datum{0}, true};
    Interval const *age = PG_GETARG_INTERVAL_P(n);
    int64 days = int64{age->month} * DAYS_PER_MONTH + age->day;
    bool fits = days >= -most_days && days <= most_days && age->time / USECS_PER_DAY <= most_days;
    int64 ms = fits ? days * (USECS_PER_DAY / 1000) + age->time / 1000 : 0;
    if (ms <= 0 || ms > most_days * (USECS_PER_DAY / 1000))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is out of range", called),
                        errdetail("It must be from a millisecond to a hundred years.")));
    return {Int64GetDatum(ms), false};
}

NullableDatum count_argument(FunctionCallInfo fcinfo, int n, const char *called) {
    if (PG_ARGISNULL(n))
        return {Datum{0}, true};
    if (PG_GETARG_INT64(n) < 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be negative", called)));
    return {PG_GETARG_DATUM(n), false};
}

} // namespace

void ask_for_retention(int64 stream_id, stream::written const &appended, int count) {
    if (!worker::is_of_use(job))
        return;
    if (appended.ordinal / run != (appended.ordinal - count) / run)
        worker::ask(job, stream_id);
    worker::ask_for_everything_within(job, look_after_us);
}

void keep_retention_out() { pg::lock(pg::lock_class::retention, 0, ShareLock); }

void register_retention() {
    job = worker::register_job(
        {.name = "retention", .step = retention_step, .next_key = next_with_policy, .at_first = true});
}

} // namespace weir::outbox

namespace outbox = weir::outbox;
namespace spi = weir::pg::spi;

WEIR_FUNCTION(weir_set_retention) {
    enum { topic_argument, max_age, max_frames, hold_age, hold_frames };
    weir::pg::require_writable("weir.set_retention()");
    (void)weir::name::name_argument(fcinfo, topic_argument, "topic", "topic name");
    NullableDatum bounds[] = {
        outbox::age_argument(fcinfo, max_age, "max_age"), outbox::count_argument(fcinfo, max_frames, "max_frames"),
        outbox::age_argument(fcinfo, hold_age, "hold_age"), outbox::count_argument(fcinfo, hold_frames, "hold_frames")};
    if (bounds[2].isnull && bounds[3].isnull)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("one of hold_age and hold_frames must be given"),
                 errdetail("Without a bound, a subscription whose consumer is gone would keep everything.")));
    spi::session session = spi::begin(weir::log::relation_oid(outbox::policy_table));
    Datum values[5] = {PG_GETARG_DATUM(topic_argument)};
    bool nulls[5] = {};
    for (int i = 0; i < 4; i++) {
        values[i + 1] = bounds[i].value;
        nulls[i + 1] = bounds[i].isnull;
    }
    if (bounds[0].isnull && bounds[1].isnull)
        spi::write(outbox::remove_statement, values, nulls);
    else
        spi::write(outbox::enter_statement, values, nulls);
    spi::end(session);
    weir::worker::ask_for_everything(outbox::job);
    PG_RETURN_VOID();
}

WEIR_FUNCTION(weir_retain) {
    weir::pg::require_writable("weir.retain()");
    if (PG_ARGISNULL(0))
        PG_RETURN_INT64(outbox::retain_all());
    PG_RETURN_INT64(outbox::retain(weir::name::name_argument(fcinfo, 0, "topic", "topic name")));
}
