// SPDX-License-Identifier: PostgreSQL
//
// weir top: which streams are alive, how fast, and who holds readers back. Rates are taken from the difference of
// two looks; a look costs the server a little for each stream. On a terminal it stays until q is pressed; elsewhere it
// prints one table.
#include "screen/full_screen.hpp"
#include "screen/json.hpp"
#include "screen/table.hpp"
#include "screen/terminal.hpp"
#include "screen/text.hpp"
#include "shell/bell.hpp"
#include "shell/exit.hpp"
#include "shell/signals.hpp"
#include "verbs/verb.hpp"
#include "weir/stream.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>

namespace weir::command {

namespace {

using namespace std::chrono_literals;

enum class order { rate, last, name, frames };

struct top_verb {
    std::chrono::milliseconds interval{2000};
    std::optional<std::int64_t> times = {};
    bool json = false;
    std::string sort = "rate";

    int operator()(command &all) const;
};

struct blocker {
    std::string who, since;
    std::chrono::milliseconds lag{};
};

// What is shown of a stream.
struct entry {
    stream_info now = {};
    double rate = 0, bytes_rate = 0;
    std::deque<double> history = {}; // of the rate, the newest last
    std::optional<blocker> blocked = {};
};

struct look {
    std::vector<entry> streams = {};
    time_point server_time = {};
    std::string server = {}, doorbell = {};
    double rate = 0, bytes_rate = 0;
};

class looking {
public:
    look take(connection &db);

private:
    struct past {
        std::int64_t frames, bytes;
        std::deque<double> rates;
    };
    std::map<std::string, past> before_;
    std::optional<std::chrono::steady_clock::time_point> last_;
};

std::string text_at(rows const &r, std::size_t row, std::size_t column) {
    return std::string(r.at(row, column).value_or(""));
}

look looking::take(connection &db) {
    constexpr std::size_t remembered = 12;
    look l;
    auto const facts =
        db.query("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, current_database(),"
                 " d.mode, d.worker_pid, d.worker_available FROM weir.doorbell d");
    l.server_time = time_point(milliseconds(std::stoll(text_at(facts, 0, 0))));
    l.server = text_at(facts, 0, 1);
    std::string const mode = text_at(facts, 0, 2);
    l.doorbell = mode != "worker"                ? mode
                 : !text_at(facts, 0, 3).empty() ? "worker"
                 : text_at(facts, 0, 4) == "t"   ? "idle"
                                                 : "no worker";
    auto const now = std::chrono::steady_clock::now();
    double const seconds = last_ ? std::chrono::duration<double>(now - *last_).count() : 0;
    last_ = now;
    auto const held = db.query("SELECT log, \"position\", pid, gid, application_name, state,"
                               " floor(extract(epoch FROM age) * 1000)::bigint FROM weir.blockers");
    std::map<std::string, blocker> blockers;
    for (std::size_t i = 0; i < held.size(); i++) {
        std::string who = !text_at(held, i, 3).empty()  ? "prepared \"" + text_at(held, i, 3) + "\""
                          : text_at(held, i, 2).empty() ? "a transaction"
                                                        : "pid " + text_at(held, i, 2);
        for (std::size_t const column : {4, 5})
            if (std::string const more = text_at(held, i, column); !more.empty())
                who += ", " + more;
        auto const at = position::parse(text_at(held, i, 1));
        blockers[text_at(held, i, 0)] = {printable(who, false),
                                         show_duration(milliseconds(std::stoll("0" + text_at(held, i, 6)))),
                                         std::max(l.server_time - at.time(), milliseconds(0))};
    }
    std::map<std::string, past> seen;
    for (stream_info &info : weir::streams(db)) {
        entry e{.now = std::move(info)};
        auto const was = before_.find(e.now.stream);
        if (was != before_.end() && seconds > 0) {
            // Less than before: dropped and begun anew, or best-effort counts after a crash.
            e.rate =
                static_cast<double>(std::max<std::int64_t>(e.now.lifetime_frames - was->second.frames, 0)) / seconds;
            e.bytes_rate =
                static_cast<double>(std::max<std::int64_t>(e.now.lifetime_bytes - was->second.bytes, 0)) / seconds;
            e.history = std::move(was->second.rates);
            e.history.push_back(e.rate);
            if (e.history.size() > remembered)
                e.history.pop_front();
        }
        if (auto const b = blockers.find(e.now.stream); b != blockers.end())
            e.blocked = b->second;
        l.rate += e.rate;
        l.bytes_rate += e.bytes_rate;
        seen[e.now.stream] = {e.now.lifetime_frames, e.now.lifetime_bytes, e.history};
        l.streams.push_back(std::move(e));
    }
    before_ = std::move(seen);
    return l;
}

void sort(look &l, order by) {
    std::stable_sort(l.streams.begin(), l.streams.end(), [by](entry const &a, entry const &b) {
        switch (by) {
        case order::rate: // what blocks is of interest first, what is alive next
            return std::tuple(b.blocked.has_value(), b.rate, b.now.last_id) <
                   std::tuple(a.blocked.has_value(), a.rate, a.now.last_id);
        case order::last:
            return b.now.last_id < a.now.last_id;
        case order::frames:
            return b.now.frames < a.now.frames;
        default:
            return a.now.stream < b.now.stream;
        }
    });
}

std::string sparkline(std::deque<double> const &values) {
    static constexpr std::string_view bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    if (!unicode() || values.empty())
        return {};
    double const max = *std::max_element(values.begin(), values.end());
    std::string out;
    for (double const v : values)
        out += v <= 0 ? " " : bars[std::min<std::size_t>(7, static_cast<std::size_t>(v / max * 7.99))];
    return out;
}

std::vector<std::string> draw(look const &l, int columns, std::size_t rows) {
    screen const &out = standard_output();
    table t({{"STREAM", false, 12},
             {"FRAMES/S", true, 8},
             {"", false, unicode() ? 12 : 0},
             {"BYTES/S", true, 8},
             {"FRAMES", true, 7},
             {"LAST", true, 8},
             {"LAG", true, 7},
             {"K", true, 6},
             {"STATE"}});
    for (std::size_t i = 0; i < std::min(rows, l.streams.size()); i++) {
        entry const &e = l.streams[i];
        auto const &now = e.now;
        bool const quiet = e.rate <= 0 && !e.blocked;
        auto cell = [&](std::string const &text) { return quiet ? paint(out, style::dim, text) : text; };
        std::string const last =
            now.last_id ? show_duration(std::max(l.server_time - now.last_id->time(), milliseconds(0))) : "";
        t.row({cell(printable(now.stream, false)), e.rate > 0 ? paint(out, style::bold, show_rate(e.rate)) : "",
               paint(out, style::cyan, sparkline(e.history)),
               e.bytes_rate > 0 ? show_bytes(std::llround(e.bytes_rate)) : "", cell(show_count(now.frames)), cell(last),
               e.blocked ? paint(out, style::yellow, show_duration(e.blocked->lag)) : "",
               now.maxlen ? cell(show_count(*now.maxlen)) : "",
               e.blocked    ? paint(out, style::yellow, "held by " + e.blocked->who + " for " + e.blocked->since)
               : now.closed ? paint(out, style::dim, "closed")
                            : ""});
    }
    auto lines = t.lines(columns);
    lines[0] = paint(out, style::dim, lines[0]);
    return lines;
}

std::string headline(look const &l) {
    screen const &out = standard_output();
    std::string const gap = unicode() ? "  ·  " : "  -  ";
    return paint(out, style::bold, "weir") + "  " + printable(l.server, false) + gap +
           plural(static_cast<std::int64_t>(l.streams.size()), "stream", "streams") + gap + show_rate(l.rate) +
           " frames/s" + gap + show_bytes(std::llround(l.bytes_rate)) + "/s" + gap + "doorbell: " +
           paint(out, l.doorbell == "worker" || l.doorbell == "idle" ? style::green : style::yellow, l.doorbell);
}

std::string as_json(entry const &e, time_point at) {
    json::object o;
    o.text("at", show_timestamp(at))
        .text("stream", e.now.stream)
        .number("frames_per_second", e.rate)
        .number("bytes_per_second", e.bytes_rate)
        .number("frames", e.now.frames)
        .text_or_null("last_id", e.now.last_id ? std::optional(e.now.last_id->text()) : std::nullopt);
    if (e.now.maxlen)
        o.number("maxlen", static_cast<std::int64_t>(*e.now.maxlen));
    else
        o.null("maxlen");
    o.boolean("closed", e.now.closed);
    if (e.blocked)
        o.number("lag_ms", static_cast<std::int64_t>(e.blocked->lag.count())).text("blocked_by", e.blocked->who);
    else
        o.number("lag_ms", std::int64_t{0}).null("blocked_by");
    return o.str();
}

order order_of(std::string const &name) {
    return name == "last" ? order::last : name == "name" ? order::name : name == "frames" ? order::frames : order::rate;
}

// Tables one after the other, for files and pipes.
int print_tables(top_verb const &o, connection &db) {
    looking eyes;
    bell rest;
    eyes.take(db);
    int const interval = static_cast<int>(o.interval.count());
    for (std::int64_t n = 0; n < o.times.value_or(1); n++) {
        rest.wait(interval);
        if (signals::caught() != 0)
            break;
        look l = eyes.take(db);
        sort(l, order_of(o.sort));
        if (o.json) {
            for (entry const &e : l.streams)
                write(as_json(e, l.server_time) + "\n");
        } else {
            write((n > 0 ? "\n" : "") + headline(l) + "\n\n");
            for (std::string const &line :
                 draw(l, standard_output().terminal ? standard_output().columns() : 200, l.streams.size()))
                write(line + "\n");
        }
        flush();
    }
    return done;
}

int show_live(top_verb const &o, connection &db) {
    looking eyes;
    bell rest;
    look l;
    order by = order_of(o.sort);
    std::string trouble;
    full_screen all;
    auto next = std::chrono::steady_clock::now();
    while (signals::caught() == 0) {
        auto const now = std::chrono::steady_clock::now();
        if (now >= next) {
            try {
                bool const first = l.server.empty();
                l = eyes.take(db);
                trouble.clear();
                next = now + (first ? std::min<std::chrono::milliseconds>(o.interval, 500ms) : o.interval);
            } catch (error const &e) {
                if (e.stopped() || (e.from() != error::source::connection && !e.transient()))
                    throw;
                trouble = e.what();
                next = now + o.interval;
            }
        }
        sort(l, by);
        screen const &out = standard_output();
        std::vector<std::string> lines{headline(l), ""};
        std::size_t const rows = static_cast<std::size_t>(std::max(out.rows() - 5, 1));
        for (std::string &line : draw(l, out.columns(), rows))
            lines.push_back(std::move(line));
        std::string const sorted = by == order::rate   ? "rate"
                                   : by == order::last ? "last"
                                   : by == order::name ? "name"
                                                       : "frames";
        lines.resize(std::max(lines.size(), static_cast<std::size_t>(out.rows() - 1)));
        std::string foot = paint(out, style::dim, "q quit  ·  s sorted by " + sorted);
        if (l.streams.size() > rows)
            foot += paint(out, style::dim,
                          "  ·  " + show_count(static_cast<std::int64_t>(l.streams.size() - rows)) + " more");
        if (!trouble.empty())
            foot = paint(out, style::yellow, printable(trouble.substr(0, trouble.find('\n')), false));
        lines.push_back(foot);
        all.draw(lines);
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now());
        // At least four times a second, for a terminal that changes its size.
        rest.wait(static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 250)), all.input());
        for (char c; (c = all.key()) != 0;) {
            if (c == 'q' || c == 'Q' || c == 4)
                return done;
            if (c == 's')
                by = static_cast<order>((static_cast<int>(by) + 1) % 4);
        }
    }
    return done;
}

int top_verb::operator()(command &all) const {
    connection db = all.server.connect(std::chrono::seconds(0));
    return standard_output().terminal && !times && !json ? show_live(*this, db) : print_tables(*this, db);
}

} // namespace

void add_top(command &all) {
    auto o = std::make_shared<top_verb>();
    arguments verb(all.line, "top", "Watch all streams: rate, newest frame, lag, K, who holds readers back", R"(weir top
weir top --sort last --interval 500ms
weir top -n 1 | head                          one table, for files and pipes
weir top -n 60 --json > load.jsonl)");
    verb.duration("-i,--interval", o->interval, "Time between two looks (2s)");
    verb.number("-n,--times", o->times, 1, "Print so many tables, one below the other, and end");
    verb.choice("-s,--sort", o->sort, {"rate", "last", "name", "frames"}, "ORDER",
                "By rate (blocked ones first), last, name or frames");
    verb.flag("-j,--json", o->json, "A JSON object for each stream");
    all.run_by(verb, o);
}

} // namespace weir::command
