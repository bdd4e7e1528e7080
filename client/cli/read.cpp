// SPDX-License-Identifier: PostgreSQL
//
// weir read: the frames that are there, page by page, and no more.
#include "exit.hpp"
#include "show.hpp"
#include "signals.hpp"
#include "terminal.hpp"
#include "verb.hpp"
#include "weir/stream.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace weir::command {

namespace {

struct read_verb {
    std::string stream = {};
    std::optional<position> after = {}, upto = {};
    std::string since = {};
    std::int64_t frames = std::numeric_limits<std::int64_t>::max();
    bool reverse = false, json = false, raw = false, ids = false;
    frame_filter filter = {};

    int operator()(command &all) const;
};

int read_verb::operator()(command &all) const {
    constexpr std::int64_t page = 1000;
    connection db = all.server.connect();
    read_options o{.after = after,
                   .upto = upto,
                   .best_effort = !filter.durable_only,
                   .types = filter.types,
                   .headers = filter.wanted_headers(),
                   .reverse = reverse};
    if (!since.empty())
        o.since = moment(db, since);
    weir::stream from(db, stream);
    frame_printer printer({.form = json ? frame_form::json : raw ? frame_form::raw : frame_form::people, .ids = ids});
    for (std::int64_t left = frames; left > 0 && signals::caught() == 0;) {
        o.max_frames = static_cast<int>(std::min(left, page));
        auto const some = expect(from.read(o));
        for (frame const &f : some)
            printer.print(stream, f);
        flush();
        if (some.size() < static_cast<std::size_t>(o.max_frames))
            break;
        left -= o.max_frames;
        // upto is inclusive.
        if (reverse && some.back().id == position::least())
            break;
        if (reverse)
            o.upto = position(some.back().id.value() - 1);
        else
            o.after = some.back().id;
    }
    return done;
}

} // namespace

void add_read(CLI::App &app, command &all) {
    auto o = std::make_shared<read_verb>();
    CLI::App *verb = add_verb(app, "read", "Print the frames of a stream", R"(weir read run-17
weir read run-17 --reverse -n 20              the newest twenty
weir read run-17 --since 10m --type stderr    errors of the last ten minutes
weir read run-17 --json | jq -r .payload
weir read run-17 --raw --type stdout > log    what went in, byte for byte
weir read run-17 --after 1795171438346-0      on from a cursor)");
    verb->add_option("STREAM", o->stream, "The stream")->required();
    add_position(verb, "--after", o->after, "Only frames beyond this one");
    add_position(verb, "--upto", o->upto, "Only frames up to this one");
    verb->add_option("--since", o->since, "Only frames since then: 10m ago, or a time such as \"today 9:00\"")
        ->type_name("TIME");
    verb->add_option("-n,--frames", o->frames, "At most so many frames")
        ->type_name("N")
        ->check(CLI::NonNegativeNumber.description(""));
    verb->add_flag("-r,--reverse", o->reverse, "The newest first");
    add_filter(verb, o->filter);
    auto *json = verb->add_flag("-j,--json", o->json, "A JSON object for each frame");
    verb->add_flag("--raw", o->raw, "What was appended and nothing else")->excludes(json);
    verb->add_flag("-i,--ids", o->ids, "Positions in place of times");
    run_with(verb, all, o);
}

} // namespace weir::command
