// SPDX-License-Identifier: PostgreSQL
//
// fetch(): the next events of a subscription. It does not move the cursor over what it
// hands out, ack() does; so what was fetched and not acknowledged comes again.
//
// What the subscription's own filter drops is nobody's, and where all that was read was
// dropped, the cursor passes it here: else a subscription that wants one event in a
// million would read that million again and again. That too is written only once it is worth it.
//
// Several streams are merged in the order of positions, each from a cursor of its
// own, since positions of different streams are not settled in one order. What is read ahead for
// that is held as it is stored, at most so many bytes of it: values that lie out of line are fetched when it is an
// event's turn, so that the number of streams does not multiply their size.
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "outbox/cursor.hpp"
#include "outbox/fetched.hpp"
#include "outbox/subscription.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/memory.hpp"
#include "pg/snapshot.hpp"
#include "pg/text.hpp"
#include "stream/trimmed.hpp"

namespace core = weir::core;
namespace log_ = weir::log;
namespace outbox = weir::outbox;
namespace pg = weir::pg;
namespace stream = weir::stream;

namespace {

constexpr int64 worth_passing = 128;                // dropped frames
constexpr int64 pass_after_us = USECS_PER_SEC;      // or since the cursor moved
constexpr int64 seen_every_us = 10 * USECS_PER_SEC; // how exact last_seen is
constexpr int least_run = 8, greatest_run = 256;    // frames read from one of several streams at a time
constexpr int64 max_held = 4 * 1024 * 1024;         // bytes of them, of all streams; one of each is held in any case

// Read, and not given out yet.
struct held_row {
    int64 id;
    int64 frames; // the stream's, up to here
    Datum mode;
    HeapTuple row; // as it is in the log
};

// One stream of the subscription, as far as this call has read it.
struct source {
    outbox::covered_stream stream;
    outbox::cursor from;
    int64 position; // read up to here
    int64 passed;   // frames on the way
    bool wanted_any;
    bool ended; // nothing more is settled
    // Read ahead, with several streams.
    held_row *rows;
    int row_count;
    int next_row;
    // Up to where all has been given out, or was dropped by the filter.
    int64 done_position;
    int64 done_frames;
};

struct fetching {
    outbox::subscription const *subscription;
    stream::filter filter;
    stream::row_names names;
    pg::result_set rows;
    Snapshot snapshot;
    MemoryContext memory; // of the call
    MemoryContext per_row;
    TupleDesc stored; // of rows in the log
    int run;          // how many to hold of a stream
    int64 share;      // and of how many bytes
};

[[noreturn]] void raise_expired(fetching const &f, source const &s, stream::trimmed const &gone) {
    char *name = quote_literal_cstr(TextDatumGetCString(f.subscription->name));
    char *stream = quote_literal_cstr(TextDatumGetCString(s.stream.name));
    stream::raise_expired(pg::view_of(s.stream.name), s.stream.stream_id, s.position, s.from.frames, gone, f.snapshot,
                          psprintf("weir.seek(%s, '-', %s) goes on from there.", name, stream));
}

source begin_source(fetching const &f, outbox::covered_stream const &stream, Snapshot latest) {
    source s{};
    s.stream = stream;
    s.from = outbox::find_cursor(f.subscription->id, stream.stream_id, latest);
    s.position = s.done_position = s.from.position;
    s.done_frames = s.from.frames;
    stream::trimmed gone = stream::trimmed_from(stream.stream_id, f.snapshot);
    if (s.position < gone.upto)
        raise_expired(f, s, gone);
    return s;
}

// Reads on until the sink has taken so many, or takes no more, or nothing more is settled.
template <class Sink> void read_on(fetching &f, source &s, int max, Sink &&sink) {
    stream::reader r;
    stream::stored_row found;
    f.names.stream = {s.stream.name, false};
    stream::open_reader(r, s.stream.stream_id, s.position, core::greatest, false, ForwardScanDirection, f.snapshot);
    for (bool more = true; more && max > 0 && !s.ended;) {
        CHECK_FOR_INTERRUPTS();
        if (!stream::advance(r)) {
            s.ended = true;
            break;
        }
        s.position = r.at->id;
        s.passed += stream::is_frame(*log_::prefix_of<stream::log_prefix>(*r.at));
        MemoryContext before = MemoryContextSwitchTo(f.per_row);
        if (stream::find_wanted(f.names, r, f.filter, found)) {
            more = sink(r, found);
            s.wanted_any = true;
            max--;
        }
        MemoryContextSwitchTo(before);
        MemoryContextReset(f.per_row);
    }
    stream::close_reader(r);
}

void give_out(fetching &f, stream::stored_row const &found) {
    stream::frame_row row;
    stream::shape_row(f.names, found, row);
    f.rows.add(row.values, row.nulls);
}

void all_done(source &s) {
    s.done_position = s.position;
    s.done_frames = s.from.frames + s.passed;
}

void fetch_one(fetching &f, source &s, int max) {
    read_on(f, s, max, [&](stream::reader &, stream::stored_row const &found) {
        give_out(f, found);
        return true;
    });
    all_done(s);
}

// Reads the next run of a stream.
bool refill(fetching &f, source &s) {
    int64 bytes = 0;
    s.row_count = s.next_row = 0;
    read_on(f, s, f.run, [&](stream::reader &r, stream::stored_row const &found) {
        MemoryContext inner = MemoryContextSwitchTo(f.memory);
        if (f.stored == nullptr)
            f.stored = CreateTupleDescCopy(RelationGetDescr(r.logged_table.heap));
        if (s.rows == nullptr)
            s.rows = pg::palloc_array_of<held_row>(static_cast<std::size_t>(f.run));
        HeapTuple row = ExecCopySlotHeapTuple(r.at->slot);
        s.rows[s.row_count++] = {found.id, s.from.frames + s.passed, found.mode, row};
        bytes += static_cast<int64>(GetMemoryChunkSpace(row));
        MemoryContextSwitchTo(inner);
        return bytes < f.share;
    });
    if (s.row_count == 0)
        all_done(s);
    return s.row_count > 0;
}

// The next held row of a stream.
void give_out_next(fetching &f, source &s) {
    held_row &h = s.rows[s.next_row++];
    Datum values[stream::log_column::count];
    bool nulls[stream::log_column::count];
    heap_deform_tuple(h.row, f.stored, values, nulls);
    auto column = [&](int n) { return NullableDatum{values[n - 1], nulls[n - 1]}; };
    stream::stored_row found{h.id,
                             h.mode,
                             column(stream::log_column::type),
                             column(stream::log_column::payload),
                             column(stream::log_column::bytes),
                             column(stream::log_column::headers)};
    f.names.stream = {s.stream.name, false};
    MemoryContext before = MemoryContextSwitchTo(f.per_row);
    give_out(f, found);
    MemoryContextSwitchTo(before);
    MemoryContextReset(f.per_row);
    pfree(h.row);
    s.done_position = h.id;
    s.done_frames = h.frames;
}

// The heap keeps the greatest in front. What has one position comes in the order of streams: always the same.
int by_next_id(Datum a, Datum b, void *) {
    auto *x = reinterpret_cast<source *>(DatumGetPointer(a)), *y = reinterpret_cast<source *>(DatumGetPointer(b));
    int64 left = x->rows[x->next_row].id, right = y->rows[y->next_row].id;
    return left < right || (left == right && x < y) ? 1 : -1;
}

void fetch_merged(fetching &f, source *sources, int count, int max) {
    f.run = max / count < least_run ? least_run : max / count > greatest_run ? greatest_run : max / count;
    f.run = f.run < max ? f.run : max;
    f.share = max_held / count;
    binaryheap *heap = binaryheap_allocate(count, by_next_id, nullptr);
    for (int i = 0; i < count; i++) {
        if (refill(f, sources[i]))
            binaryheap_add_unordered(heap, PointerGetDatum(&sources[i]));
    }
    binaryheap_build(heap);
    for (; max > 0 && !binaryheap_empty(heap); max--) {
        auto &s = *reinterpret_cast<source *>(DatumGetPointer(binaryheap_first(heap)));
        give_out_next(f, s);
        if (s.next_row < s.row_count || refill(f, s))
            binaryheap_replace_first(heap, PointerGetDatum(&s));
        else
            (void)binaryheap_remove_first(heap);
    }
}

// For ack().
void note_all(outbox::subscription const &sub, source const *sources, int count) {
    for (int i = 0; i < count; i++) {
        source const &s = sources[i];
        if (s.done_position > s.from.position)
            outbox::note_fetched(sub.id, s.stream.stream_id, s.done_position, s.done_frames);
    }
}

bool may_write() { return !XactReadOnly && !RecoveryInProgress(); }

void pass_over(outbox::subscription const &sub, source const &s, TimestampTz now) {
    if (s.wanted_any || s.passed == 0)
        return;
    if (s.passed >= worth_passing || now - s.from.moved_at >= pass_after_us)
        outbox::move_cursor(sub.id, s.stream.stream_id, s.from, s.position, s.from.frames + s.passed);
}

// When this backend last looked whether a subscription's having been seen is written down: a hint.
struct sighting {
    int64 subscription_id;
    TimestampTz at;
};
constexpr int sightings = 256;
sighting seen[sightings];

void note_seen(outbox::subscription const &sub, TimestampTz now, Snapshot latest) {
    sighting &last = seen[sub.id % sightings];
    if (last.subscription_id == sub.id && now - last.at < seen_every_us)
        return;
    last = {sub.id, now};
    outbox::cursor c = outbox::find_cursor(sub.id, outbox::of_itself, latest);
    if (!c.stored || now - c.moved_at >= seen_every_us)
        outbox::move_cursor(sub.id, outbox::of_itself, c, core::least, 0);
}

} // namespace

WEIR_FUNCTION(weir_fetch) {
    std::string_view name = outbox::subscription_argument(fcinfo, 0);
    int max = pg::max_argument(fcinfo, 1);
    outbox::subscription sub;
    bool waited = outbox::take_subscription(name, sub);
    outbox::note_fetch(sub.id);

    fetching f{};
    f.subscription = &sub;
    f.filter = outbox::filter_of(sub);
    f.rows = pg::begin_result_set(fcinfo);
    f.names = stream::make_row_names();
    f.memory = CurrentMemoryContext;
    f.per_row = AllocSetContextCreate(CurrentMemoryContext, "weir event", ALLOCSET_DEFAULT_SIZES);
    Snapshot latest = pg::take_snapshot();
    // The statement's, so that its tables and the events agree; after waiting for another
    // consumer that would be one from before what there is to fetch now.
    f.snapshot = RegisterSnapshot(waited && !IsolationUsesXactSnapshot() ? latest : GetActiveSnapshot());

    outbox::covered_streams streams = outbox::streams_of(sub, outbox::lost::refuse, f.snapshot);
    auto *sources = static_cast<source *>(palloc(sizeof(source) * (streams.count + 1)));
    for (int i = 0; i < streams.count; i++)
        sources[i] = begin_source(f, streams.streams[i], latest);
    if (streams.count == 1)
        fetch_one(f, sources[0], max);
    else if (streams.count > 1)
        fetch_merged(f, sources, streams.count, max);
    note_all(sub, sources, streams.count);

    if (may_write()) {
        TimestampTz now = GetCurrentTimestamp();
        for (int i = 0; i < streams.count; i++)
            pass_over(sub, sources[i], now);
        note_seen(sub, now, latest);
    }
    UnregisterSnapshot(f.snapshot);
    UnregisterSnapshot(latest);
    return Datum{0};
}
