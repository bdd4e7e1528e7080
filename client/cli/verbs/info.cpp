// SPDX-License-Identifier: PostgreSQL
//
// weir info: what there is of a stream, or of all of them.
#include "screen/json.hpp"
#include "screen/table.hpp"
#include "screen/terminal.hpp"
#include "screen/text.hpp"
#include "shell/exit.hpp"
#include "verbs/verb.hpp"
#include "weir/stream.hpp"

#include <cmath>

namespace weir::command {

namespace {

struct info_verb {
    std::vector<std::string> streams = {};
    bool json = false, names = false;

    int operator()(command &all) const;
};

std::string as_json(stream_info const &i) {
    auto id = [](std::optional<position> const &p) { return p ? json::quoted(p->text()) : "null"; };
    json::object o;
    o.text("stream", i.stream)
        .raw("first_id", id(i.first_id))
        .raw("last_id", id(i.last_id))
        .number("frames", i.frames)
        .number("lifetime_frames", i.lifetime_frames)
        .number("bytes", i.bytes)
        .number("lifetime_bytes", i.lifetime_bytes)
        .number("best_effort_frames", i.best_effort_frames);
    if (i.rate_hz)
        o.number("rate_hz", *i.rate_hz);
    else
        o.null("rate_hz");
    if (i.maxlen)
        o.number("maxlen", static_cast<std::int64_t>(*i.maxlen));
    else
        o.null("maxlen");
    return o.number("version", i.version)
        .boolean("closed", i.closed)
        .text_or_null("close_reason", i.close_reason)
        .number("lead_ms", i.lead_ms)
        .raw("properties", i.properties)
        .str();
}

std::string state_of(stream_info const &i) {
    if (!i.closed)
        return "open";
    return i.close_reason ? "closed: " + printable(*i.close_reason, false) : "closed";
}

std::string age(std::optional<position> const &p, time_point now) {
    return p ? show_duration(std::max(now - p->time(), milliseconds(0))) + " ago" : "";
}

void print_one(stream_info const &i, time_point now) {
    screen const &out = standard_output();
    auto line = [&](std::string_view name, std::string const &value) {
        write("  " + paint(out, style::dim, pad(name, 13)) + value + "\n");
    };
    auto place = [&](std::optional<position> const &p) {
        return p ? p->text() + paint(out, style::dim,
                                     "  " + show_date(p->time()) + " " + show_time(p->time()) + ", " + age(p, now))
                 : "none";
    };
    write(paint(out, style::bold, printable(i.stream, false)) + "\n");
    line("state", i.closed ? paint(out, style::yellow, state_of(i)) : state_of(i));
    line("frames", show_count(i.frames) + paint(out, style::dim, "  of " + show_count(i.lifetime_frames) + " ever"));
    line("bytes", show_bytes(i.bytes) + paint(out, style::dim, "  of " + show_bytes(i.lifetime_bytes) + " ever"));
    line("first", place(i.first_id));
    line("last", place(i.last_id));
    if (i.first_id && i.last_id && i.last_id->time() > i.first_id->time()) {
        milliseconds const span = i.last_id->time() - i.first_id->time();
        double const seconds = std::chrono::duration<double>(span).count();
        line("span",
             show_duration(span) + paint(out, style::dim,
                                         "  " + show_rate(static_cast<double>(i.frames) / seconds) + " frames/s, " +
                                             show_bytes(std::llround(static_cast<double>(i.bytes) / seconds)) + "/s"));
    }
    if (i.version > 0)
        line("summary", "version " + show_count(i.version));
    if (i.maxlen)
        line("best effort", show_count(i.best_effort_frames) + " best-effort frames at " +
                                show_rate(i.rate_hz.value_or(0)) + "/s, at most " + show_count(*i.maxlen) + " kept");
    if (i.properties != "{}")
        line("properties", json::one_line(i.properties, out));
    if (i.lead_ms > 0)
        line("clock",
             paint(out, style::yellow, show_duration(milliseconds(i.lead_ms)) + " ahead of the server's clock"));
}

void print_all(std::vector<stream_info> const &streams, time_point now) {
    screen const &out = standard_output();
    table t({{"STREAM"},
             {"FRAMES", true},
             {"BYTES", true},
             {"BEST EFFORT/S", true},
             {"SUMMARY", true},
             {"LAST", true},
             {"STATE"}});
    for (stream_info const &i : streams)
        t.row({printable(i.stream, false), show_count(i.frames), show_bytes(i.bytes),
               i.rate_hz ? show_rate(*i.rate_hz) : "", i.version > 0 ? "v" + show_count(i.version) : "",
               age(i.last_id, now), state_of(i)});
    bool title = true;
    for (std::string const &line : t.lines(out.terminal ? out.columns() : 200)) {
        write(paint(out, title ? style::dim : "", line) + "\n");
        title = false;
    }
}

int info_verb::operator()(command &all) const {
    connection db = all.server.connect();
    std::vector<stream_info> found;
    for (std::string const &name : streams) {
        auto i = weir::stream(db, name).info();
        if (!i)
            throw failure(failed, "stream \"" + name + "\" does not exist", "A stream exists from its first frame on.");
        found.push_back(std::move(*i));
    }
    if (streams.empty())
        found = weir::streams(db);
    auto const answer = db.query("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint");
    time_point const now{milliseconds(std::stoll(std::string(answer.at(0, 0).value_or("0"))))};
    if (names || json)
        for (stream_info const &i : found)
            write((json ? as_json(i) : i.stream) + "\n");
    else if (streams.empty())
        print_all(found, now);
    else
        for (stream_info const &i : found)
            print_one(i, now);
    return done;
}

} // namespace

void add_info(command &all) {
    auto o = std::make_shared<info_verb>();
    arguments verb(all.line, "info", "Show counts, rate and state of streams",
                   R"(weir info                                     every stream, a line each
weir info run-17
weir info --json | jq -r 'select(.closed | not) | .stream'
weir info --names)");
    verb.place("STREAM", o->streams, "The streams; none: all");
    auto json = verb.flag("-j,--json", o->json, "A JSON object for each");
    verb.flag("--names", o->names, "Only the names").excludes(json);
    all.run_by(verb, o);
}

} // namespace weir::command
