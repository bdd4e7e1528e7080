// SPDX-License-Identifier: PostgreSQL
//
// weir read: the frames that are there, page by page, and no more.
#include "screen/show.hpp"
#include "screen/terminal.hpp"
#include "shell/exit.hpp"
#include "shell/signals.hpp"
#include "verbs/verb.hpp"
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
    std::optional<std::int64_t> frames = {};
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
    for (std::int64_t left = frames.value_or(std::numeric_limits<std::int64_t>::max());
         left > 0 && signals::caught() == 0;) {
        o.max = static_cast<int>(std::min(left, page));
        auto const some = expect(from.read(o));
        for (frame const &f : some)
            printer.print(stream, f);
        flush();
        if (some.size() < static_cast<std::size_t>(o.max))
            break;
        left -= o.max;
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

void add_read(command &all) {
    auto o = std::make_shared<read_verb>();
    arguments verb(all.line, "read", "Print the frames of a stream", R"(weir read run-17
weir read run-17 --reverse -n 20              the newest twenty
weir read run-17 --since 10m --type stderr    errors of the last ten minutes
weir read run-17 --json | jq -r .payload
weir read run-17 --raw --type stdout > log    what went in, byte for byte
weir read run-17 --after 1795171438346-0      on from a cursor)");
    verb.required("STREAM", o->stream, "The stream");
    verb.position("--after", o->after, "Only frames beyond this one");
    verb.position("--upto", o->upto, "Only frames up to this one");
    verb.text("--since", o->since, "TIME", "Only frames since then: 10m ago, or a time such as \"today 9:00\"");
    verb.number("-n,--frames", o->frames, 0, "At most so many frames");
    verb.flag("-r,--reverse", o->reverse, "The newest first");
    o->filter.add_to(verb);
    auto json = verb.flag("-j,--json", o->json, "A JSON object for each frame");
    verb.flag("--raw", o->raw, "What was appended and nothing else").excludes(json);
    verb.flag("-i,--ids", o->ids, "Positions in place of times");
    all.run_by(verb, o);
}

} // namespace weir::command
