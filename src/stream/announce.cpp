// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "doorbell/channel.hpp"
#include "stream/announce.hpp"
#include "stream/reader.hpp"
#include "stream/registry.hpp"
#include "worker/worker.hpp"

namespace weir::stream {

namespace {

constexpr int longest_payload = 7000; // NOTIFY takes 7999 bytes, and the last name may have many to escape
constexpr double full = 0.9;

// What goes to the database's channel: {"stream": "position", …}
struct roll {
    StringInfoData text;
    int count;
};

void begin(roll &r) {
    initStringInfo(&r.text);
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

    if (r.text.len + static_cast<int>(name.size()) > longest_payload)
        flush(r);
    appendStringInfoString(&r.text, r.text.len == 0 ? "{" : ", ");
    char *quoted = pnstrdup(name.data(), name.size());
    escape_json(&r.text, quoted);
    pfree(quoted);
    appendStringInfo(&r.text, ": \"%s\"", payload);
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

void announce_own(doorbell::noted const &n) {
    if (is_queue_full() || !is_there())
        return;
    announce(n.marks, n.count);
    if (n.incomplete)
        announce_from(n.look_from);
    worker::count_in_commit();
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

bool is_queue_full() { return DatumGetFloat8(DirectFunctionCall1(pg_notification_queue_usage, Datum{0})) > full; }

void announce_in_commits() { doorbell::on_own_notify(announce_own); }

} // namespace weir::stream
