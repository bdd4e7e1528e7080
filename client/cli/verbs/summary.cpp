// SPDX-License-Identifier: PostgreSQL
//
// weir summary: the rolling document of a stream, once or each time that it changes. On a terminal it is kept up to
// date in place, with what changed standing out; elsewhere each version is a line.
#include "screen/json.hpp"
#include "screen/terminal.hpp"
#include "screen/text.hpp"
#include "shell/bell.hpp"
#include "shell/exit.hpp"
#include "shell/signals.hpp"
#include "verbs/verb.hpp"
#include "weir/notifier.hpp"
#include "weir/stream.hpp"
#include "weir/tail.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace weir::command {

namespace {

using namespace std::chrono_literals;

struct summary_verb {
    std::string stream = {}, at = {};
    bool follow = false, json = false;

    int operator()(command &all) const;

private:
    result<std::optional<summary_document>> as_of(connection &db, weir::stream &of) const;
};

// Shown in place of what it showed before.
class picture {
public:
    void draw(std::vector<std::string> const &fresh, bool mark_changes) {
        screen const &out = standard_output();
        std::size_t const room = static_cast<std::size_t>(std::max(2, out.rows() - 1));
        std::string text = drawn_ > 0 ? "\x1b[" + std::to_string(drawn_) + "A\r" : "";
        std::size_t const shown = std::min(room, fresh.size());
        for (std::size_t i = 0; i < shown; i++) {
            bool const cut_off = i + 1 == room && fresh.size() > room;
            std::string const line = cut_off ? "…" : cut(fresh[i], out.columns());
            bool const changed = mark_changes && drawn_ > 0 && !before_.contains(fresh[i]);
            text += (changed && out.colour ? "\x1b[1m" + emphasised(line) + "\x1b[0m" : line) + "\x1b[K\n";
        }
        text += "\x1b[J";
        drawn_ = shown;
        before_ = {fresh.begin(), fresh.end()};
        write(text);
        flush();
    }

private:
    // Bold goes on behind the end of each colour.
    static std::string emphasised(std::string line) {
        for (std::size_t at = 0; (at = line.find("\x1b[0m", at)) != line.npos; at += 8)
            line.replace(at, 4, "\x1b[0m\x1b[1m");
        return line;
    }

    std::size_t drawn_ = 0;
    std::set<std::string> before_;
};

std::string as_json(std::string const &stream, summary_document const &d) {
    return json::object()
        .text("stream", stream)
        .raw("document", d.document)
        .number("version", d.version)
        .text("id", d.id.text())
        .text("first_applied", show_timestamp(d.first_applied))
        .text("last_updated", show_timestamp(d.last_updated))
        .str();
}

std::vector<std::string> as_lines(summary_document const &d) {
    std::istringstream in(json::lines(d.document, standard_output()));
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

std::string about(std::string const &stream, summary_document const &d) {
    screen const &out = standard_output();
    return paint(out, style::bold, printable(stream, false)) +
           paint(out, style::dim,
                 "  version " + show_count(d.version) + ", " + show_date(d.last_updated) + " " +
                     show_time(d.last_updated));
}

class summary_printer {
public:
    explicit summary_printer(summary_verb const &o) : options_(o) {}

    void show(summary_document const &d) {
        if (shown_ == d.version)
            return;
        shown_ = d.version;
        std::vector<std::string> lines;
        if (options_.json)
            lines = {as_json(options_.stream, d)};
        else if (options_.follow && !standard_output().terminal)
            lines = {json::one_line(d.document, standard_output())};
        else
            lines = as_lines(d);
        if (standard_output().terminal && !options_.json)
            lines.insert(lines.begin(), about(options_.stream, d));
        if (standard_output().terminal && options_.follow && !options_.json)
            return picture_.draw(lines, true);
        for (std::string const &line : lines)
            write(line + "\n");
        flush();
    }

private:
    summary_verb const &options_;
    std::int64_t shown_ = -1;
    picture picture_;
};

int follow_summary(summary_verb const &o, command &all) {
    constexpr int calm = 100; // milliseconds from one version shown to the next
    bell wakeup;
    connection db = all.server.connect(24h);
    weir::stream of(db, o.stream);
    notifier by({.conninfo = all.server.conninfo()});
    tail changes(by, o.stream, {.from = start::now(), .on_ready = [&] { wakeup.ring(); }});
    summary_printer printer(o);
    // From here on nothing is missed; what came before is in what is read now.
    bool live = changes.subscribed(until(signals::stop()));
    auto const info = of.info();
    live = live && !(info && info->closed);
    for (bool news = true; signals::caught() == 0;) {
        if (news)
            if (auto const d = of.summary())
                printer.show(*d);
        if (!live)
            break;
        wakeup.wait(news ? calm : -1);
        news = false;
        for (auto some = changes.take(); !some.empty(); some = changes.take())
            for (frame const &f : some)
                news = news || f.mode == frame_mode::summary || f.mode == frame_mode::replace;
        if (changes.state() != tail_state::live)
            live = false, news = true;
    }
    return done;
}

// A position, or a time.
result<std::optional<summary_document>> summary_verb::as_of(connection &db, weir::stream &of) const {
    std::optional<position> upto;
    try {
        upto = position::parse(at);
    } catch (error const &) {
        return of.summary_at(moment(db, at));
    }
    return of.summary_at(*upto);
}

int summary_verb::operator()(command &all) const {
    if (follow)
        return follow_summary(*this, all);
    connection db = all.server.connect();
    weir::stream of(db, stream);
    auto const d = at.empty() ? of.summary() : expect(as_of(db, of));
    if (!d)
        throw failure(failed, "stream \"" + stream + "\" has no summary document",
                      "It comes with the first patch: weir append --patch, or weir pipe --summary.");
    summary_printer(*this).show(*d);
    return done;
}

} // namespace

void add_summary(command &all) {
    auto o = std::make_shared<summary_verb>();
    arguments verb(all.line, "summary", "Print the summary document of a stream, and follow it", R"(weir summary build
weir summary build --follow                   kept up to date until the stream is closed
weir summary build --json | jq .document.warnings
weir summary build --at 1795171438346-0       as it stood then
weir summary build --at 10m)");
    verb.required("STREAM", o->stream, "The stream");
    auto follow = verb.flag("-f,--follow", o->follow, "Show it each time that it changes");
    verb.text("--at", o->at, "POSITION", "As it stood at this position, or time: 10m ago, \"today 9:00\"")
        .excludes(follow);
    verb.flag("-j,--json", o->json, "An object with version, position and times");
    all.run_by(verb, o);
}

} // namespace weir::command
