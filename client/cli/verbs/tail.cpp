// SPDX-License-Identifier: PostgreSQL
//
// weir tail: the newest frames of one or more streams, and with -f those that come, until the streams are closed.
//
// Where each stream starts: behind the position in the cursor file, or --after, --since, or so many frames before its
// end. Frames are shown first and remembered then, so after a crash some may be shown again and none is left out.
#include "screen/show.hpp"
#include "screen/terminal.hpp"
#include "screen/text.hpp"
#include "shell/bell.hpp"
#include "shell/cursor_file.hpp"
#include "shell/exit.hpp"
#include "shell/signals.hpp"
#include "verbs/verb.hpp"
#include "weir/notifier.hpp"
#include "weir/stream.hpp"
#include "weir/tail.hpp"

#include <algorithm>
#include <cstdint>

namespace weir::command {

namespace {

struct tail_verb {
    std::vector<std::string> streams = {};
    bool follow = false, json = false, raw = false, ids = false, quiet = false;
    std::optional<std::int64_t> frames = {};
    std::optional<position> after = {};
    std::string since = {}, cursor = {};
    frame_filter filter = {};

    int operator()(command &all) const;
};

class tailing {
public:
    tailing(tail_verb const &o, command &all);
    int run();

private:
    start start_of(connection &db, std::string const &stream);
    std::optional<position> before_newest(connection &db, std::string const &stream, std::int64_t frames);
    void print_what_is_there(connection &db, std::string const &stream, start from);
    int follow(std::vector<start> const &from);
    bool show_new(std::vector<tail> &tails);
    void tell(notifier_status const &now);
    void save();

    tail_verb const &options_;
    command &all_;
    std::optional<cursor_file> cursors_;
    frame_printer printer_;
    bell bell_;
    notifier_status told_;
    bool lost_ = false;
};

frame_printer::options form_of(tail_verb const &o) {
    std::size_t columns = 0;
    if (o.streams.size() > 1)
        for (std::string const &s : o.streams)
            columns = std::clamp<std::size_t>(static_cast<std::size_t>(width(s)), columns, 24);
    return {.form = o.json  ? frame_form::json
                    : o.raw ? frame_form::raw
                            : frame_form::people,
            .ids = o.ids,
            .streams_width = columns};
}

tailing::tailing(tail_verb const &o, command &all) : options_(o), all_(all), printer_(form_of(o)) {
    if (!o.cursor.empty())
        cursors_.emplace(o.cursor);
}

read_options reading(tail_verb const &o) {
    return {.best_effort = !o.filter.durable_only, .types = o.filter.types, .headers = o.filter.wanted_headers()};
}

// What to start after in order to get the newest frames; nothing where that is all there are.
std::optional<position> tailing::before_newest(connection &db, std::string const &stream, std::int64_t frames) {
    read_options r = reading(options_);
    r.reverse = true;
    while (frames > 0) {
        r.max = static_cast<int>(std::min<std::int64_t>(frames, 1000));
        auto const some = expect(weir::stream(db, stream).read(r));
        frames -= r.max;
        if (some.size() < static_cast<std::size_t>(r.max) || some.back().id == position::least())
            return {};
        r.upto = position(some.back().id.value() - 1);
    }
    return r.upto;
}

start tailing::start_of(connection &db, std::string const &stream) {
    if (auto const at = cursors_ ? cursors_->find(stream) : std::nullopt)
        return start::after(*at);
    if (options_.after)
        return start::after(*options_.after);
    if (!options_.since.empty())
        return start::since(moment(db, options_.since));
    // Who keeps a cursor wants everything.
    if (cursors_ && !options_.frames)
        return start::beginning();
    std::int64_t const frames = options_.frames.value_or(10);
    if (frames == 0)
        return options_.follow ? start::now() : start::after(weir::stream(db, stream).head());
    auto const before = before_newest(db, stream, frames);
    return before ? start::after(*before) : start::beginning();
}

void tailing::print_what_is_there(connection &db, std::string const &stream, start from) {
    read_options r = reading(options_);
    if (from.how() == start::kind::since)
        r.since = position::time_point(std::chrono::milliseconds(from.value()));
    else
        r.after = position(from.value());
    for (bool more = true; more && signals::caught() == 0;) {
        auto const some = expect(weir::stream(db, stream).read(r));
        more = some.size() == static_cast<std::size_t>(r.max);
        for (frame const &f : some)
            printer_.print(stream, f);
        flush();
        if (some.empty())
            break;
        r.after = some.back().id;
        if (cursors_)
            cursors_->set(stream, *r.after);
        save();
    }
}

void tailing::save() {
    if (cursors_)
        cursors_->save();
}

// In the notifier's thread.
void tailing::tell(notifier_status const &now) {
    if (options_.quiet)
        return;
    bool const had = told_.how != weir::wakeup::none, has = now.how != weir::wakeup::none;
    if (had && !has)
        warn(now.why.empty() ? "the connection was lost" : now.why, "Waiting for the server; nothing will be missing.");
    else if (!had && has && lost_)
        warn("connected again");
    else if (has && !now.why.empty() && now.why != told_.why)
        note(now.why);
    lost_ = lost_ || (had && !has);
    told_ = now;
}

// Shows what has come; false for nothing.
bool tailing::show_new(std::vector<tail> &tails) {
    struct item {
        tail const *from;
        frame what;
    };
    std::vector<item> items;
    for (tail &t : tails)
        for (frame &f : t.take())
            items.push_back({&t, std::move(f)});
    // What came together is shown in order.
    std::stable_sort(items.begin(), items.end(), [](item const &a, item const &b) { return a.what.id < b.what.id; });
    for (item const &i : items)
        printer_.print(i.from->stream(), i.what);
    flush();
    if (cursors_)
        for (tail const &t : tails)
            if (t.cursor() > position::least())
                cursors_->set(t.stream(), t.cursor());
    return !items.empty();
}

int tailing::follow(std::vector<start> const &from) {
    constexpr int save_every = 200; // milliseconds, at most
    notifier by({.conninfo = all_.server.conninfo(), .on_change = [this](notifier_status const &s) { tell(s); }});
    std::vector<tail> tails;
    for (std::size_t i = 0; i < from.size(); i++)
        tails.emplace_back(by, options_.streams[i],
                           tail_options{.from = from[i],
                                        .best_effort = !options_.filter.durable_only,
                                        .types = options_.filter.types,
                                        .headers = options_.filter.wanted_headers(),
                                        .on_ready = [this] { bell_.ring(); }});
    auto next_save = std::chrono::steady_clock::now();
    try {
        while (signals::caught() == 0) {
            bool const some = show_new(tails);
            auto const now = std::chrono::steady_clock::now();
            if (now >= next_save) {
                save();
                next_save = now + std::chrono::milliseconds(save_every);
            }
            bool const live =
                std::any_of(tails.begin(), tails.end(), [](tail const &t) { return t.state() == tail_state::live; });
            if (!some && !live)
                break;
            if (!some)
                bell_.wait(cursors_ ? save_every : -1);
        }
    } catch (...) {
        save(); // what was shown, was shown
        throw;
    }
    save();
    int status = done;
    for (tail const &t : tails)
        if (auto const why = t.why()) {
            report(*why);
            status = refused;
        }
    return status;
}

int tailing::run() {
    std::vector<start> from;
    {
        connection db = all_.server.connect();
        for (std::string const &stream : options_.streams)
            from.push_back(start_of(db, stream));
        if (!options_.follow) {
            for (std::size_t i = 0; i < from.size(); i++)
                print_what_is_there(db, options_.streams[i], from[i]);
            return done;
        }
    }
    return follow(from);
}

int tail_verb::operator()(command &all) const { return tailing(*this, all).run(); }

} // namespace

void add_tail(command &all) {
    auto o = std::make_shared<tail_verb>();
    arguments verb(all.line, "tail", "Print the newest frames of streams, and follow them",
                   R"(weir tail run-17                              the newest ten
weir tail -f run-17                           and what comes, until the stream is closed
weir tail -f --since 10m --type stderr run-17 run-18
weir tail -f --json orders | jq -c .payload
weir tail -f --json --cursor ~/.orders orders | ./handle
                                              goes on where it stopped the last time)");
    verb.required("STREAM", o->streams, "The streams");
    verb.flag("-f,--follow", o->follow, "Go on with what comes; ends with the streams, or by an interrupt");
    verb.number("-n,--frames", o->frames, 0, "Start with so many frames (10; with --cursor, all)");
    verb.text("--since", o->since, "TIME", "Start then: 10m ago, or a time such as \"today 9:00\"");
    verb.position("--after", o->after, "Start beyond this position");
    verb.text("--cursor", o->cursor, "FILE", "File that remembers how far it got, and from where to go on");
    o->filter.add_to(verb);
    auto json = verb.flag("-j,--json", o->json, "A JSON object for each frame");
    verb.flag("--raw", o->raw, "What was appended and nothing else").excludes(json);
    verb.flag("-i,--ids", o->ids, "Positions in place of times");
    verb.flag("-q,--quiet", o->quiet, "Say nothing of lost connections");
    all.run_by(verb, o);
}

} // namespace weir::command
