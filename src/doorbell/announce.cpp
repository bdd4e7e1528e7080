// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "doorbell/channel.hpp"
#include "doorbell/logs.hpp"
#include "doorbell/queue.hpp"
#include "pg/attempt.hpp"
#include "pg/settings.hpp"
#include "doorbell/announce.hpp"
#include "doorbell/drain.hpp"
#include "name/registry.hpp"
#include "worker/worker.hpp"

namespace weir::doorbell {

namespace {

// What goes to the database's channel: {"stream": "position", …}, or that anything may have changed.
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
        hand_over(database_channel, r.text.data);
    }
    resetStringInfo(&r.text);
}

void announce_one(roll &r, std::string_view name, int64 position) {
    channel_name channel;
    char payload[core::position_text_size];
    write_channel(name, channel);
    core::format_position(position, payload);
    hand_over(channel, payload);

    r.count++;
    if (pg::settings::all_streams_channel == pg::settings::channel_empty) {
        if (r.count == 1)
            announce_anything();
        return;
    }
    char *plain = pnstrdup(name.data(), name.size());
    resetStringInfo(&r.next);
    escape_json(&r.next, plain);
    pfree(plain);
    appendStringInfo(&r.next, ": \"%s\"", payload);
    if (r.text.len + r.next.len + 3 > static_cast<int>(longest_payload))
        flush(r);
    appendStringInfoString(&r.text, r.text.len == 0 ? "{" : ", ");
    appendBinaryStringInfo(&r.text, r.next.data, r.next.len);
}

struct look {
    roll r;
    int64 from;
};

void announce_if_newer(name::entry const &e, void *context) {
    auto &l = *static_cast<look *>(context);
    logs const *of = logs_of(e.kind);
    int64 newest = of == nullptr ? -1 : of->newest(e.id);
    if (newest >= l.from)
        announce_one(l.r, e.name, newest);
}

struct own {
    struct noted const *noted;
    bool told; // all of it
};

void announce_noted(void *context) {
    auto &o = *static_cast<own *>(context);
    // The statement that is being committed may have made a stream.
    CommandCounterIncrement();
    if (!name::is_there())
        return;
    announce(o.noted->marks, o.noted->count);
    if (o.noted->incomplete)
        announce_from(o.noted->look_from);
    // Where the worker should have done it, what others left for it would wait.
    if (pg::settings::doorbell == pg::settings::doorbell_worker)
        (void)drain();
    o.told = true;
}

bool announce_own(noted const &n) {
    if (could_notify_fail(false))
        return false;
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "weir notifications", ALLOCSET_DEFAULT_SIZES);
    MemoryContext before = MemoryContextSwitchTo(memory);
    own o{&n, false};
    bool well = pg::attempt(announce_noted, &o, "notify of frames that are being committed");
    MemoryContextSwitchTo(before);
    MemoryContextDelete(memory);
    if (!well) {
        settle(false);
        return false;
    }
    if (o.told)
        worker::count_in_commit();
    return o.told;
}

} // namespace

int announce(mark const *marks, int count) {
    roll r;
    begin(r);
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
    for (int i = 0; i < count; i++) {
        std::string_view name = name::name_of(marks[i].log, latest);
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
    name::for_each(latest, announce_if_newer, &l);
    UnregisterSnapshot(latest);
    flush(l.r);
    return l.r.count;
}

void announce_anything() { hand_over(database_channel, ""); }

void announce_in_commits() { on_own_notify(announce_own, settle); }

} // namespace weir::doorbell
