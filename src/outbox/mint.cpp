// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "outbox/buffer.hpp"
#include "outbox/fetched.hpp"
#include "outbox/mint.hpp"
#include "pg/memory.hpp"
#include "pg/settings.hpp"
#include "pg/text.hpp"
#include "stream/append.hpp"
#include "stream/request.hpp"

namespace weir::outbox {

namespace {

int by_stream(void const *a, void const *b) {
    event const *x = *static_cast<event *const *>(a), *y = *static_cast<event *const *>(b);
    if (int c = x->stream.compare(y->stream))
        return c;
    return x->order < y->order ? -1 : 1;
}

void sort_by_stream(pending_events const &pending) {
    bool sorted = true;
    for (std::size_t i = 0; i < pending.count; i++) {
        pending.events[i]->order = static_cast<uint32>(i);
        sorted &= i == 0 || pending.events[i - 1]->stream.compare(pending.events[i]->stream) <= 0;
    }
    if (!sorted)
        qsort(pending.events, pending.count, sizeof(event *), by_stream);
}

// How many of the events from here on go into one append: of one stream, JSON or bytes, and no
// more than a batch may have.
int batch_at(pending_events const &pending, std::size_t first) {
    std::size_t n = 0, bytes = 0;
    while (first + n < pending.count && n < static_cast<std::size_t>(pg::settings::max_batch_frames)) {
        event const &e = *pending.events[first + n];
        bytes += VARSIZE_ANY(DatumGetPointer(e.payload));
        if (e.stream != pending.events[first]->stream || e.bytes != pending.events[first]->bytes ||
            (n > 0 && bytes > static_cast<std::size_t>(pg::settings::max_batch_bytes)))
            break;
        n++;
    }
    return static_cast<int>(n);
}

void name_the_stream(void *argument) {
    auto *stream = static_cast<std::string_view *>(argument);
    errcontext("events emitted to stream \"%.*s\"", pg::shown(*stream), stream->data());
}

void write_batch(event *const *events, int count) {
    stream::request r{};
    r.name = events[0]->stream;
    r.mode = stream::mode::durable;
    r.bytes = events[0]->bytes;
    r.count = count;
    r.values = pg::palloc_array_of<Datum>(count);
    r.types = pg::palloc_array_of<NullableDatum>(count);
    r.headers_each = pg::palloc_array_of<NullableDatum>(count);
    r.type.isnull = r.headers.isnull = r.key.isnull = true;
    for (int i = 0; i < count; i++) {
        r.values[i] = events[i]->payload;
        r.types[i] = events[i]->type;
        r.headers_each[i] = events[i]->headers;
    }

    ErrorContextCallback context{error_context_stack, name_the_stream, &r.name};
    error_context_stack = &context;
    (void)stream::append(r);
    error_context_stack = context.previous;
}

void mint(pending_events const &pending) {
    MemoryContext memory = AllocSetContextCreate(TopTransactionContext, "weir mint", ALLOCSET_DEFAULT_SIZES);
    MemoryContext before = MemoryContextSwitchTo(memory);
    // Emitted while the transaction could write, whatever was set since.
    bool read_only = XactReadOnly;
    XactReadOnly = false;
    PushActiveSnapshot(GetTransactionSnapshot());

    sort_by_stream(pending);
    for (std::size_t first = 0; first < pending.count;) {
        int count = batch_at(pending, first);
        write_batch(pending.events + first, count);
        first += static_cast<std::size_t>(count);
        MemoryContextReset(memory);
    }

    PopActiveSnapshot();
    XactReadOnly = read_only;
    MemoryContextSwitchTo(before);
    MemoryContextDelete(memory);
}

void at_end_of_transaction(XactEvent event, void *) {
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE:
        if (pending_events pending = take_pending(); pending.count > 0)
            mint(pending);
        break;
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_PREPARE:
    case XACT_EVENT_ABORT:
        reopen();
        break;
    default: // of parallel workers, who emit nothing
        break;
    }
}

} // namespace

void register_callbacks() {
    RegisterXactCallback(at_end_of_transaction, nullptr);
    RegisterSubXactCallback(at_end_of_subtransaction, nullptr);
    RegisterSubXactCallback(fetched_at_end_of_subtransaction, nullptr);
}

} // namespace weir::outbox
