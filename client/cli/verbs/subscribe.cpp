// SPDX-License-Identifier: PostgreSQL
//
// weir subscribe: makes a durable subscription, prints its events and acknowledges them, and shows where
// subscriptions stand. Events are printed first and acknowledged then, so after a crash some may be printed again and
// none is left out.
#include "screen/listing.hpp"
#include "screen/show.hpp"
#include "screen/terminal.hpp"
#include "screen/text.hpp"
#include "shell/exit.hpp"
#include "shell/signals.hpp"
#include "verbs/verb.hpp"
#include "weir/subscriber.hpp"

#include <algorithm>

namespace weir::command {

namespace {

struct subscribe_verb {
    std::optional<std::string> name = {};
    std::vector<std::string> streams = {}, types = {};
    std::string headers = {}, since = {};
    std::optional<position> after = {};
    bool beginning = false, hold = false, follow = false, peek = false, drop = false, json = false, raw = false;

    int operator()(command &all) const;

private:
    void list(connection &db) const;
    void make(connection &db) const;
    void drain(connection &db, frame_printer &printer) const;
    void follow_it(command &all, frame_printer &printer) const;
};

constexpr int batch = 1000;

void show(frame_printer &printer, std::vector<event> const &events) {
    for (event const &e : events)
        printer.print(e.stream, e.frame);
    flush();
}

void subscribe_verb::list(connection &db) const {
    if (json)
        return print_json_rows(db, "SELECT * FROM weir.subscriptions ORDER BY name, stream");
    table t({{"SUBSCRIPTION"}, {"STREAM"}, {"LAG", true}, {"AGE", true}, {"STATE"}});
    for (subscription_info const &s : subscriptions(db)) {
        for (stream_lag const &l : s.lag)
            t.row({printable(s.name, false), printable(l.stream, false), show_count(l.frames),
                   l.age.count() > 0 ? show_duration(l.age) : "",
                   l.expired ? "expired"
                   : s.hold  ? "holds"
                             : ""});
        if (s.lag.empty())
            t.row({printable(s.name, false), "", "", "", "no stream yet"});
    }
    print(t);
}

void subscribe_verb::make(connection &db) const {
    subscribe_options o{
        .types = types, .headers = headers.empty() ? std::nullopt : std::optional(headers), .hold = hold};
    if (beginning)
        o.from = start::beginning();
    else if (after)
        o.from = start::after(*after);
    else if (!since.empty())
        o.from = start::since(moment(db, since));
    expect(subscription(db, *name).subscribe(streams, o));
}

// What is there.
void subscribe_verb::drain(connection &db, frame_printer &printer) const {
    subscription s(db, *name);
    while (signals::caught() == 0) {
        auto const events = expect(s.fetch(batch));
        show(printer, events);
        if (events.empty() || peek)
            return;
        expect(s.ack(events));
    }
}

void subscribe_verb::follow_it(command &all, frame_printer &printer) const {
    notifier by({.conninfo = all.server.conninfo()});
    pool connections({.connect = {.conninfo = all.server.conninfo()}, .size = 1});
    subscriber s(by, connections, *name, {.batch = batch});
    until const limit(signals::stop());
    while (signals::caught() == 0) {
        show(printer, expect(s.next_batch(limit)));
        expect(s.ack(std::chrono::seconds(5))); // what was printed, was printed
    }
}

int subscribe_verb::operator()(command &all) const {
    connection db = all.server.connect();
    if (!name) {
        list(db);
        return done;
    }
    if (drop) {
        if (!subscription(db, *name).unsubscribe())
            throw failure(failed, "subscription \"" + *name + "\" does not exist");
        return done;
    }
    if (!streams.empty())
        make(db);
    std::size_t columns = 0;
    if (auto const i = subscription(db, *name).info(); i && i->streams.size() + i->lag.size() > 2)
        for (stream_lag const &l : i->lag)
            columns = std::clamp<std::size_t>(static_cast<std::size_t>(width(l.stream)), columns, 24);
    frame_printer printer({.form = json  ? frame_form::json
                                   : raw ? frame_form::raw
                                         : frame_form::people,
                           .streams_width = columns});
    if (follow)
        follow_it(all, printer);
    else
        drain(db, printer);
    return done;
}

} // namespace

void add_subscribe(command &all) {
    auto o = std::make_shared<subscribe_verb>();
    arguments verb(all.line, "subscribe", "Print the events of a durable subscription",
                   R"(weir subscribe mail 'orders/*' --type paid       make it, from now on
weir subscribe mail                              print what has come since, and acknowledge it
weir subscribe -f --json mail | ./handle         and what comes
weir subscribe audit orders --beginning --hold
weir subscribe                                   where all of them stand)");
    verb.place("NAME", o->name, "The subscription; none: show all");
    verb.place("STREAM", o->streams, "Subscribe to these names and patterns (*, ?), if that was not done before");
    verb.texts("-t,--type", o->types, "TYPE", "Only events of this type; may be given more than once");
    verb.text("--headers", o->headers, "JSON", "Only events whose headers contain this object");
    auto beginning = verb.flag("--beginning", o->beginning, "Start with the oldest there is");
    auto after = verb.position("--after", o->after, "Start beyond this position").excludes(beginning);
    verb.text("--since", o->since, "TIME", "Start then: 10m ago, or a time such as \"today 9:00\"")
        .excludes(beginning)
        .excludes(after);
    verb.flag("--hold", o->hold, "Retention keeps what is not acknowledged");
    auto follow = verb.flag("-f,--follow", o->follow, "Go on with what comes; ends by an interrupt");
    auto peek = verb.flag("--peek", o->peek, "Print what comes next without acknowledging it").excludes(follow);
    verb.flag("--drop", o->drop, "Remove the subscription").excludes(follow).excludes(peek);
    auto json = verb.flag("-j,--json", o->json, "A JSON object for each");
    verb.flag("--raw", o->raw, "What was emitted and nothing else").excludes(json);
    all.run_by(verb, o);
}

} // namespace weir::command
