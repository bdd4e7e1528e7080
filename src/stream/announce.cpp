// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "doorbell/channel.hpp"
#include "pg/monotonic.hpp"
#include "pg/settings.hpp"
#include "stream/announce.hpp"
#include "stream/reader.hpp"
#include "stream/registry.hpp"
#include "worker/drain.hpp"
#include "worker/worker.hpp"

namespace weir::stream {

namespace {

constexpr double full = 0.9;
constexpr int64 look_again_us = 100 * 1000; // looking makes the server advance the queue's tail

// What goes to the database's channel: {"stream": "position", …}
struct roll {
    StringInfoData text;
    StringInfoData next; // member, escaped before its length counts
    int count;
};

void begin(roll &r) {
    initStringInfo(&r.text);
    initStringInfo(&r.next);
    r.count = 0;
}

void flush(roll &r) {
    if (r.text.len > 0) {
        appendStringInfoChar(&r.text, '}');
        Async_Notify(doorbell::database_channel, r.text.data);
    }
    resetStringInfo(&r.text);
}

void announce_one(roll &r, std::string_view name, int64 position) {
    doorbell::channel_name channel;
    char payload[core::position_text_size];
    doorbell::write_channel(name, channel);
    core::format_position(position, payload);
    Async_Notify(channel, payload);

    char *plain = pnstrdup(name.data(), name.size());
    resetStringInfo(&r.next);
    escape_json(&r.next, plain);
    pfree(plain);
    appendStringInfo(&r.next, ": \"%s\"", payload);
    if (r.text.len + r.next.len + 3 > static_cast<int>(doorbell::longest_payload))
        flush(r);
    appendStringInfoString(&r.text, r.text.len == 0 ? "{" : ", ");
    appendBinaryStringInfo(&r.text, r.next.data, r.next.len);
    r.count++;
}

struct look {
    roll r;
    int64 from;
};

void announce_if_newer(int64 stream_id, std::string_view name, void *context) {
    auto &l = *static_cast<look *>(context);
    int64 newest = newest_position(stream_id);
    if (newest >= l.from)
        announce_one(l.r, name, newest);
}

bool announce_own(doorbell::noted const &n) {
    // The statement that is being committed may have made a stream.
    CommandCounterIncrement();
    if (is_queue_full() || !is_there())
        return false;
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "weir notifications", ALLOCSET_DEFAULT_SIZES);
    MemoryContext before = MemoryContextSwitchTo(memory);
    announce(n.marks, n.count);
    if (n.incomplete)
        announce_from(n.look_from);
    // Where the worker should have done it, what others left for it would wait.
    if (pg::settings::doorbell == pg::settings::doorbell_worker)
        (void)worker::drain();
    MemoryContextSwitchTo(before);
    MemoryContextDelete(memory);
    worker::count_in_commit();
    return true;
}

} // namespace

int announce(doorbell::mark const *marks, int count) {
    roll r;
    begin(r);
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    for (int i = 0; i < count; i++) {
        std::string_view name = name_of(marks[i].log, latest);
        if (!name.empty()) // it is where the transaction that made the stream rolled back
            announce_one(r, name, marks[i].last);
    }
    UnregisterSnapshot(latest);
    flush(r);
    return r.count;
}

int announce_from(int64 position) {
    look l;
    begin(l.r);
    l.from = position;
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    for_each(latest, announce_if_newer, &l);
    UnregisterSnapshot(latest);
    flush(l.r);
    return l.r.count;
}

void announce_anything() { Async_Notify(doorbell::database_channel, ""); }

bool is_queue_full() {
    static int64 looked_at = 0;
    static bool was_full = false;
    int64 now = pg::monotonic_us();
    if (now - looked_at > look_again_us) {
        was_full = DatumGetFloat8(DirectFunctionCall1(pg_notification_queue_usage, Datum{0})) > full;
        looked_at = now;
    }
    return was_full;
}

void announce_in_commits() { doorbell::on_own_notify(announce_own, worker::settle); }

} // namespace weir::stream
