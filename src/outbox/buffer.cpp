// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "outbox/buffer.hpp"
#include "pg/settings.hpp"

namespace weir::outbox {

namespace {

// Lives in the context that it describes, which the end of the transaction deletes.
struct buffer {
    MemoryContext memory;
    event **events;
    std::size_t count;
    std::size_t capacity;
    std::size_t bytes; // of memory, with what the allocator adds
    MemoryContextCallback on_delete;
};

buffer *pending = nullptr;
bool closed = false;

void forget_pending(void *) { pending = nullptr; }

buffer &open_buffer() {
    if (pending != nullptr)
        return *pending;
    MemoryContext memory = AllocSetContextCreate(TopTransactionContext, "weir events", ALLOCSET_DEFAULT_SIZES);
    auto *b = static_cast<buffer *>(MemoryContextAllocZero(memory, sizeof(buffer)));
    b->memory = memory;
    b->capacity = 16;
    b->events = static_cast<event **>(MemoryContextAlloc(memory, sizeof(event *) * b->capacity));
    b->on_delete.func = forget_pending;
    MemoryContextRegisterResetCallback(memory, &b->on_delete);
    pending = b;
    return *b;
}

std::size_t size_of(NullableDatum const &value) {
    return value.isnull ? 0 : MAXALIGN(VARSIZE_ANY(DatumGetPointer(value.value)));
}

NullableDatum copy_to(char *&at, NullableDatum const &value) {
    if (value.isnull)
        return value;
    char *start = at;
    memcpy(start, DatumGetPointer(value.value), VARSIZE_ANY(DatumGetPointer(value.value)));
    at += size_of(value);
    return {PointerGetDatum(start), false};
}

void make_room(buffer &b) {
    if (b.count < b.capacity)
        return;
    b.events = static_cast<event **>(repalloc_huge(b.events, sizeof(event *) * 2 * b.capacity));
    b.capacity *= 2;
}

void drop_last(buffer &b) {
    event *last = b.events[--b.count];
    b.bytes -= GetMemoryChunkSpace(last) + sizeof(event *);
    pfree(last);
}

} // namespace

void add(std::string_view stream, NullableDatum type, Datum payload, NullableDatum headers, bool bytes) {
    if (closed)
        elog(ERROR, "event emitted while the transaction was committing");
    std::size_t fixed = MAXALIGN(sizeof(event)), named = MAXALIGN(stream.size());
    std::size_t size = fixed + named + size_of(type) + size_of(headers) + size_of({payload, false});
    buffer &b = open_buffer();
    auto limit = static_cast<std::size_t>(pg::settings::max_emit_bytes);
    if (size > limit || b.bytes > limit - size)
        ereport(
            ERROR,
            (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the events of the transaction are too large"),
             errdetail("With this one there are %zu events of %zu bytes, the limit is %zu bytes.", b.count + 1,
                       b.bytes + size, limit),
             errhint("Commit in smaller transactions, append to the stream directly, or raise weir.max_emit_bytes.")));
    make_room(b);
    auto *chunk = static_cast<char *>(MemoryContextAlloc(b.memory, size));
    char *at = chunk + fixed;
    memcpy(at, stream.data(), stream.size());
    std::string_view name{at, stream.size()};
    at += named;
    auto *e = reinterpret_cast<event *>(chunk);
    e->level = GetCurrentSubTransactionId();
    e->order = 0;
    e->bytes = bytes;
    e->stream = name;
    e->type = copy_to(at, type);
    e->headers = copy_to(at, headers);
    e->payload = copy_to(at, {payload, false}).value;
    b.events[b.count++] = e;
    b.bytes += GetMemoryChunkSpace(chunk) + sizeof(event *);
}

pending_events take_pending() {
    closed = true;
    if (pending == nullptr)
        return {nullptr, 0};
    return {pending->events, pending->count};
}

bool has_pending() { return pending != nullptr && pending->count > 0; }

void reopen() { closed = false; }

void at_end_of_subtransaction(SubXactEvent what, SubTransactionId mine, SubTransactionId parent, void *) {
    if (pending == nullptr)
        return;
    buffer &b = *pending;
    // Subtransactions nest, so what belongs to the innermost one is at the end.
    if (what == SUBXACT_EVENT_ABORT_SUB) {
        while (b.count > 0 && b.events[b.count - 1]->level == mine)
            drop_last(b);
    } else if (what == SUBXACT_EVENT_COMMIT_SUB) {
        for (std::size_t i = b.count; i > 0 && b.events[i - 1]->level == mine; i--)
            b.events[i - 1]->level = parent;
    }
}

} // namespace weir::outbox
