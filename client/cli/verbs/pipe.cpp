// SPDX-License-Identifier: PostgreSQL
//
// weir pipe: tee with a stream behind it. What comes in, from standard input or from a command of which
// standard output and standard error are kept apart, goes out again at once, and into the stream in batches
// (recorder.hpp).
//
// The command's exit status is weir's, its death by a signal too. What the server does never harms the
// command: where recording ends for good, output still passes through.
#include "pipe/child.hpp"
#include "pipe/progress.hpp"
#include "pipe/recorder.hpp"
#include "pipe/splitter.hpp"
#include "pipe/tally.hpp"
#include "screen/json.hpp"
#include "screen/terminal.hpp"
#include "screen/text.hpp"
#include "shell/exit.hpp"
#include "shell/signals.hpp"
#include "verbs/verb.hpp"
#include "weir/stream.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace weir::command {

namespace {

using namespace std::chrono_literals;

// How long, after an interrupt, the server has to take what is left.
constexpr auto grace = 5s;

struct pipe_verb {
    recorder::options record = {};
    std::vector<std::string> words = {};
    std::optional<std::int64_t> batch = {};
    bool chunks = false, quiet = false, summary = false;
    std::vector<std::string> counts = {}, lasts = {}, currents = {};

    int operator()(command &all) const;
};

// Where bytes come from, and where they go besides the stream.
struct source {
    int from, to;
    splitter pieces;
    bool passes = true; // false once nothing can be written there any more
};

class piping {
public:
    piping(pipe_verb const &o, connector &server);
    int run();

private:
    void prepare(connection &db);
    tally make_tally() const;
    void pump(std::vector<source> &sources);
    bool transfer(source &s); // false at the end
    void pass(source &s, std::string_view bytes);
    void close(source &s);
    void finish(ending how);
    void tell_failure(bool goes_on);
    pipe_verb const &options_;
    recorder::options record_;
    std::size_t max_ = 0; // bytes of a piece
    std::stop_source give_up_;
    progress shown_;
    std::optional<recorder> to_;
    std::optional<child> child_;
    bool failure_told_ = false, output_failed_ = false;
};

piping::piping(pipe_verb const &o, connector &server)
    : options_(o), record_(o.record), shown_(o.record.stream, o.quiet, o.chunks ? "chunk" : "line") {
    if (o.summary || !o.counts.empty() || !o.lasts.empty() || !o.currents.empty())
        record_.summary = make_tally();
    if (o.batch)
        record_.batch_frames = static_cast<std::size_t>(*o.batch);
    // Later an interrupt must not stop the recording at once.
    signals::on_signal([stop = give_up_](int, bool) mutable { return stop.request_stop(), false; });
    connection db = server.connect(0s, give_up_.get_token());
    prepare(db);
    signals::on_signal({});
    record_.on_trouble = [this](error const &e) {
        shown_.message([&] {
            warn(e.what(), "Trying on for " + show_duration(record_.patience) + "; up to " +
                               show_bytes(static_cast<std::int64_t>(record_.buffer_bytes)) +
                               " are held, then the writer waits.");
        });
    };
    record_.on_recovery = [this](milliseconds after) {
        shown_.message([&] { warn("recording again after " + show_duration(after) + ", nothing is missing"); });
    };
    to_.emplace(std::move(db), record_, give_up_.get_token());
}

tally piping::make_tally() const {
    tally t;
    for (auto const &each : options_.counts)
        t.count(each);
    for (auto const &each : options_.lasts)
        t.last(each);
    for (auto const &each : options_.currents)
        t.current(each);
    std::string command;
    for (std::string const &w : options_.words)
        command.append(command.empty() ? "" : " ").append(w);
    if (!command.empty())
        t.command(printable(command, false));
    return t;
}

// Whatever would make the first batch fail is found before the command is started.
void piping::prepare(connection &db) {
    server_facts const facts = db.server();
    if (facts.standby || facts.read_only)
        throw error({.message = facts.standby ? "this server is a standby, which takes no frames"
                                              : "this server is read-only, it takes no frames",
                     .sqlstate = "25006"});
    weir::stream to(db, record_.stream);
    if (auto const info = to.info(); info && info->closed)
        throw failure(refused, "stream \"" + record_.stream + "\" is closed");
    // The limits of the extension are there once it is loaded, as it is by now.
    auto const r = db.query("SELECT pg_size_bytes(coalesce(current_setting('weir.max_frame_bytes', true), '1MB')),"
                            " pg_size_bytes(coalesce(current_setting('weir.max_batch_bytes', true), '16MB')),"
                            " coalesce(current_setting('weir.max_batch_frames', true), '10000')::bigint,"
                            " current_setting('server_encoding'), jsonb_typeof($1::jsonb)",
                            {record_.headers.empty() ? "{}" : std::string_view(record_.headers)});
    if (r.at(0, 4) != "object")
        throw failure(usage, "the headers are not a JSON object");
    auto number = [&](std::size_t column) { return std::stoull(std::string(r.at(0, column).value_or("0"))); };
    // Type, headers and the form in which the server keeps text need some room as well.
    std::size_t const own = 512 + record_.type.size() + 2 * record_.headers.size();
    max_ = std::max<std::size_t>(number(0) > own ? number(0) - own : 0, 64);
    max_ = std::min<std::size_t>(max_, 1 << 20);
    record_.batch_bytes = std::min<std::size_t>(record_.batch_bytes, number(1) / 2);
    record_.batch_frames = std::min<std::size_t>(record_.batch_frames, number(2));
    record_.ascii_only = r.at(0, 3) != "UTF8";
}

void piping::tell_failure(bool goes_on) {
    auto const why = to_->failed();
    if (!why || std::exchange(failure_told_, true))
        return;
    shown_.message([&] {
        report(*why);
        if (goes_on)
            warn("no more is recorded; output still passes through");
    });
}

void piping::pass(source &s, std::string_view bytes) {
    if (!s.passes)
        return;
    try {
        shown_.pass(s.to, bytes);
    } catch (failure const &e) { // as tee does: the others go on
        s.passes = false;
        output_failed_ = true;
        shown_.message([&] { report(e); });
    }
}

bool piping::transfer(source &s) {
    std::array<char, 65536> some;
    ssize_t const n = ::read(s.from, some.data(), some.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n < 0)
        throw failure(failed, std::string("could not read: ") + std::strerror(errno));
    if (n == 0)
        return false;
    std::string_view const bytes(some.data(), static_cast<std::size_t>(n));
    s.pieces.feed(bytes); // first: what was seen is in the stream, even where it cannot be passed on
    pass(s, bytes);
    return true;
}

void piping::close(source &s) {
    s.pieces.finish();
    if (child_ && s.from == child_->output())
        child_->close_output();
    else if (child_)
        child_->close_errors();
    s.from = -1;
}

void piping::pump(std::vector<source> &sources) {
    while (std::any_of(sources.begin(), sources.end(), [](source const &s) { return s.from >= 0; })) {
        bool const room = to_->has_room();
        std::vector<pollfd> fds{{.fd = signals::descriptor(), .events = POLLIN, .revents = 0},
                                {.fd = to_->descriptor(), .events = POLLIN, .revents = 0}};
        for (source const &s : sources)
            fds.push_back({.fd = room ? s.from : -1, .events = POLLIN, .revents = 0});
        if (poll(fds.data(), fds.size(), shown_.shown() ? 100 : -1) < 0 && errno != EINTR)
            throw failure(failed, std::string("poll: ") + std::strerror(errno));
        if (fds[1].revents != 0) {
            to_->acknowledge();
            tell_failure(true);
        }
        for (std::size_t i = 0; i < sources.size(); i++) {
            if (fds[i + 2].revents == 0)
                continue;
            bool more = false;
            try {
                more = transfer(sources[i]);
            } catch (reader_gone const &) {
                // A command is told by a closed pipe, as it would be without us.
                if (!child_) {
                    close(sources[i]);
                    throw;
                }
            }
            if (!more)
                close(sources[i]);
        }
        shown_.draw(to_->now());
        // What had come by then was just taken.
        if (fds[0].revents != 0)
            break;
    }
    for (source &s : sources)
        if (s.from >= 0)
            close(s);
}

// Sends what is left. An interrupt from now on leaves the server a few seconds.
void piping::finish(ending how) {
    using clock = std::chrono::steady_clock;
    to_->finish(how);
    std::optional<clock::time_point> limit;
    while (!to_->ended()) {
        bool const interrupted = signals::caught() != 0 && !child_;
        if (interrupted && !limit)
            limit = clock::now() + grace;
        if (limit && clock::now() >= *limit)
            give_up_.request_stop();
        std::array<pollfd, 2> fds{{{.fd = to_->descriptor(), .events = POLLIN, .revents = 0},
                                   {.fd = limit ? -1 : signals::descriptor(), .events = POLLIN, .revents = 0}}};
        poll(fds.data(), fds.size(), 100);
        if (fds[0].revents != 0)
            to_->acknowledge();
        shown_.draw(to_->now());
    }
    tell_failure(false);
    auto const now = to_->now();
    if (now.recorded < now.taken)
        shown_.message([&] {
            report(failure(failed, plural(now.taken - now.recorded, options_.chunks ? "chunk was" : "line was",
                                          options_.chunks ? "chunks were" : "lines were") +
                                       " not recorded"));
        });
    shown_.last_word(now, how.reason());
}

int piping::run() {
    auto splitter_of = [&](channel_of from) {
        return splitter(from, !options_.chunks, max_, [this](piece p) { to_->add(std::move(p)); });
    };
    std::vector<source> sources;
    if (!options_.words.empty()) {
        child_.emplace(options_.words);
        sources.push_back({child_->output(), STDOUT_FILENO, splitter_of(channel_of::standard_output)});
        sources.push_back({child_->errors(), STDERR_FILENO, splitter_of(channel_of::standard_error)});
        pump(sources);
        int const status = child_->wait();
        child_.reset();
        ending const how{WIFSIGNALED(status) ? ending::kind::killed : ending::kind::exited,
                         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)};
        finish(how);
        if (how.how == ending::kind::killed)
            signals::die_of(how.number);
        return how.number == 0 && (to_->failed() || output_failed_) ? pipe_failed : how.number;
    }
    sources.push_back({STDIN_FILENO, STDOUT_FILENO, splitter_of(channel_of::standard_output)});
    bool gone = false;
    try {
        pump(sources);
    } catch (reader_gone const &) {
        gone = true;
    }
    finish({signals::caught() != 0 || gone ? ending::kind::interrupted : ending::kind::end_of_input});
    if (gone)
        throw reader_gone();
    auto const why = to_->failed();
    return why ? status_of(*why) : output_failed_ ? failed : done;
}

int pipe_verb::operator()(command &all) const {
    // With a command, the usual statuses are the command's.
    auto own = [this](exit_status plain) {
        bool const as_it_is = words.empty() || plain == usage || plain == not_executable || plain == not_found;
        return as_it_is ? plain : pipe_failed;
    };
    try {
        return piping(*this, all.server).run();
    } catch (failure const &e) {
        report(e);
        return own(e.status);
    } catch (error const &e) {
        if (e.stopped())
            throw;
        report(e);
        return own(status_of(e));
    }
}

} // namespace

void add_pipe(command &all) {
    auto o = std::make_shared<pipe_verb>();
    arguments verb(all.line, "pipe", "Write a program's output to a stream and pass it on, as tee does",
                   R"(make 2>&1 | weir pipe build
weir pipe build -- make -j4                   stdout and stderr apart; exit status kept
weir pipe build --close --count warnings='warning:' --current file='([^/ ]+)\.o$' -- make
tcpdump -w - | weir pipe capture --chunks > capture.pcap
token-source | weir pipe tokens --best-effort --chunks > /dev/null)");
    recorder::options &r = o->record;
    verb.required("STREAM", r.stream, "The stream");
    verb.place("COMMAND", o->words, "The command to run, with its arguments");
    verb.flag("--chunks", o->chunks, "A frame for each piece as it is read, not for each line");
    verb.text("-t,--type", r.type, "TYPE", "Type of the frames (stdout); those of standard error are stderr");
    verb.text("--headers", r.headers, "JSON", "A JSON object for every frame");
    verb.flag("-s,--summary", o->summary, "Keep a summary document: state, lines, bytes, time, exit status");
    verb.texts("--count", o->counts, "NAME=REGEX", "In the summary: how many lines match");
    verb.texts("--last", o->lasts, "NAME=REGEX", "In the summary: what matched last, or its first group");
    verb.texts("--current", o->currents, "NAME=REGEX", "The same, removed at the end");
    verb.flag("-c,--close", r.close, "Close the stream at the end, with the exit status as reason");
    auto best_effort =
        verb.flag("--best-effort", r.best_effort, "Best effort: fast, kept for a while, gone after a crash");
    verb.duration("--ttl", r.ttl, "With --best-effort: how long frames are kept (30s)").needs(best_effort);
    verb.duration("--linger", r.linger, "Gather lines for so long before they are sent (20ms)");
    verb.number("--batch", o->batch, 1, "Frames of one transaction, at most (500)");
    verb.bytes("--buffer", r.buffer_bytes, "What is held before the writer has to wait (8MB)");
    verb.duration("--patience", r.patience, "How long to wait for a server that takes nothing (10m)");
    verb.flag("-q,--quiet", o->quiet, "No progress line");
    all.run_by(verb, o);
}

} // namespace weir::command
