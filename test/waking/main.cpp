// SPDX-License-Identifier: PostgreSQL
//
// weir-waking: readers that look only when woken, against random transactions.
// Again and again the writers are stopped, wherever they are, and then each reader
// must get to what is settled without anything more happening. Whoever does not
// within the grace has lost a wakeup. Prints one `ok`/`not ok` line for each kind of reader and a
// line of counts; exits 0 where no wakeup was lost.
//
//   --conninfo S          a superuser
//   --run NAME            prefix of the streams' names (default waking); must be new
//   --seconds N --seed N --streams N --writers N
//   --waiters N --many N --listeners N --watchers N     readers by kind (sleeper.hpp)
//   --grace S             how long a wakeup may take (10)
//   --wait-poll MS        weir.poll_interval of the waiters (an hour: never in time)
//   --listen-poll MS      how often those who LISTEN look by themselves (the same)
//   --burst MS            how long at most writers go on between two stops (20)
//   --idle MS             how long at most they stay stopped once all is well (0)
//   --prepared            some transactions are prepared, which rings nobody: needs polls
//   --wide                some transactions write all streams; for more than 256
//   --kill-worker MS      the worker is terminated that often, about; listeners need polls
//   --stop-at-first       end with the first wakeup that is lost

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iostream>

#include "sleeper.hpp"
#include "writer.hpp"

using namespace waking;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

static bool parse(int argc, char **argv, options &o) {
    for (int i = 1; i < argc; ++i) {
        std::string name = argv[i];
        if (name == "--prepared")
            o.prepared = true;
        else if (name == "--wide")
            o.wide = true;
        else if (name == "--stop-at-first")
            o.stop_at_first = true;
        else if (i + 1 == argc)
            return false;
        else if (std::string value = argv[++i]; name == "--conninfo")
            o.conninfo = value;
        else if (name == "--run")
            o.run = value;
        else if (double n = std::atof(value.c_str()); name == "--seconds")
            o.seconds = n;
        else if (name == "--grace")
            o.grace = n;
        else if (unsigned u = static_cast<unsigned>(n); name == "--seed")
            o.seed = u;
        else if (name == "--streams")
            o.streams = u;
        else if (name == "--writers")
            o.writers = u;
        else if (name == "--waiters")
            o.waiters = u;
        else if (name == "--many")
            o.many = u;
        else if (name == "--listeners")
            o.listeners = u;
        else if (name == "--watchers")
            o.watchers = u;
        else if (name == "--burst")
            o.burst = n;
        else if (name == "--idle")
            o.idle = n;
        else if (name == "--wait-poll")
            o.wait_poll = static_cast<int>(n);
        else if (name == "--listen-poll")
            o.listen_poll = static_cast<int>(n);
        else if (name == "--kill-worker")
            o.kill_worker = static_cast<int>(n);
        else
            return false;
    }
    return o.writers > 0 && o.streams > 0 && o.waiters + o.many + o.listeners + o.watchers > 0;
}

namespace {

class checking {
public:
    checking(const options &o) : opt(o), stop(o.writers), db(o.conninfo), roll(o.seed) {}
    bool run();

private:
    void begin();
    void sleep_at_most(double ms);
    void write_and_stop();
    bool everyone_reaches();
    void end();
    bool is_vacuous() const;
    bool report();

    template <class F> bool patiently(F const &all_are) {
        auto limit = steady::now() + std::chrono::milliseconds(static_cast<long>(opt.grace * 1000));
        while (!all_are()) {
            if (steady::now() > limit)
                return false;
            std::this_thread::sleep_for(100us);
        }
        return true;
    }
    static void kill_workers(std::stop_token stopped, const options &o, shared &s);

    const options &opt;
    shared common;
    gate stop;
    checker::connection db;
    dice roll;
    std::vector<std::unique_ptr<sleeper>> sleepers;
    std::vector<std::unique_ptr<writer>> writers;
    std::vector<std::thread> writing;
    std::vector<position> heads;
    std::vector<double> took_ms;
    std::uint64_t lost[4] = {};
    std::vector<std::string> losses[4];
    bool ended_well = true;
};

void checking::kill_workers(std::stop_token stopped, const options &o, shared &s) {
    checker::connection db(o.conninfo);
    dice roll(o.seed + 1);
    if (!db.connect())
        s.complain("cannot connect: " + db.error());
    while (!stopped.stop_requested() && db.connected()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(roll.below(static_cast<unsigned>(2 * o.kill_worker))));
        checker::result r = db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'weir doorbell' AND "
            "datname = current_database()");
        s.kills += static_cast<std::uint64_t>(r.ok() ? r.rows() : 0);
    }
}

void checking::begin() {
    auto add = [&](kind which, unsigned count) {
        for (unsigned i = 0; i < count; ++i)
            sleepers.push_back(std::make_unique<sleeper>(opt, common, which, i));
    };
    add(kind::wait, opt.waiters);
    add(kind::many, opt.many);
    add(kind::listen, opt.listeners);
    add(kind::watch, opt.watchers);
    for (auto &s : sleepers)
        s->start();
    for (unsigned i = 0; i < opt.writers; ++i)
        writers.push_back(std::make_unique<writer>(opt, common, stop, i));
    for (auto &w : writers)
        writing.emplace_back([&w] { w->run(); });
}

void checking::sleep_at_most(double ms) {
    std::this_thread::sleep_for(std::chrono::microseconds(roll.below(static_cast<unsigned>(ms * 1000) + 1)));
}

void checking::write_and_stop() {
    stop.open();
    std::this_thread::sleep_for(100us); // so that somebody gets through
    sleep_at_most(opt.burst);
    stop.close();
}

// The last settled frame of each stream, and whether all readers get there. (Not head(),
// which may lie between that and a frame in flight.)
bool checking::everyone_reaches() {
    checker::result r =
        db.execute("SELECT coalesce((SELECT id::bigint FROM weir.read($1 || '/' || n, reverse => true, max => 1)), 0) "
                   "FROM generate_series(0, $2::int - 1) n ORDER BY n",
                   {opt.run, std::to_string(opt.streams)});
    if (!r.ok()) {
        common.complain("last frame: " + r.sqlstate() + " " + r.message());
        return false;
    }
    heads.clear();
    for (int i = 0; i < r.rows(); ++i)
        heads.push_back(r.integer(i, 0));
    auto started = steady::now();
    bool all = patiently(
        [&] { return std::ranges::all_of(sleepers, [&](auto &s) { return s->reached(heads) || s->done(); }); });
    took_ms.push_back(std::chrono::duration<double, std::milli>(steady::now() - started).count());
    for (auto &s : sleepers) {
        if (s->reached(heads))
            continue;
        auto which = static_cast<unsigned>(s->which);
        if (++lost[which] <= 3)
            losses[which].push_back("pause " + std::to_string(took_ms.size()) + ": " + s->whereabouts(heads));
        s->prod();
    }
    return all;
}

// Closes the streams, which is a wakeup, too.
void checking::end() {
    common.enough = true;
    stop.open();
    for (auto &w : writing)
        w.join();
    checker::result r = db.execute("SELECT count(weir.close($1 || '/' || n)) FROM generate_series(0, $2::int - 1) n",
                                   {opt.run, std::to_string(opt.streams)});
    if (!r.ok())
        common.complain("close: " + r.sqlstate() + " " + r.message());
    auto all_done = [&] { return std::ranges::all_of(sleepers, [](auto &s) { return s->done(); }); };
    if (patiently(all_done))
        return;
    ended_well = false;
    // A prod can meet a reader just as it looks, and be of no use.
    for (int tries = 0; !all_done() && tries < 1000; ++tries) {
        for (auto &s : sleepers)
            if (!s->done())
                s->prod();
        std::this_thread::sleep_for(10ms);
    }
}

bool checking::is_vacuous() const {
    return took_ms.size() < 5 || common.commits == 0 || common.rollbacks == 0 || common.savepoint_rollbacks == 0 ||
           common.rings == 0 || (opt.prepared && common.prepared == 0) || (opt.wide && common.wide == 0) ||
           (opt.kill_worker > 0 && common.kills == 0);
}

bool checking::report() {
    bool good = true;
    auto line = [&](bool well, const std::string &claim, const std::vector<std::string> &details) {
        std::cout << (well ? "ok - " : "not ok - ") << claim << '\n';
        for (const auto &d : details)
            std::cout << "# " << d << '\n';
        good = good && well;
    };
    unsigned counts[] = {opt.waiters, opt.many, opt.listeners, opt.watchers};
    for (unsigned i = 0; i < 4; ++i)
        if (counts[i] > 0)
            line(lost[i] == 0, std::string("every wakeup came: ") + names_of_kinds[i], losses[i]);
    line(ended_well, "all of them met the close marks", {});
    line(common.errors == 0, "no statement failed", common.complaints);
    line(!is_vacuous() || !good, "all that was to be tried was tried", {});
    std::ranges::sort(took_ms);
    auto at = [&](double part) {
        return took_ms.empty() ? 0.0
                               : took_ms[static_cast<std::size_t>(part * static_cast<double>(took_ms.size() - 1))];
    };
    std::cout << "# weir-waking: seed " << opt.seed << ", " << opt.streams << " streams, " << opt.writers
              << " writers; " << took_ms.size() << " pauses, all caught up within ms: p50 " << at(.5) << ", p99 "
              << at(.99) << ", most " << at(1) << "; " << common.commits << " committed, " << common.rollbacks
              << " rolled back, " << common.savepoint_rollbacks << " savepoints rolled back, " << common.prepared
              << " prepared, " << common.wide << " wide, " << common.kills << " workers terminated; " << common.rings
              << " rings, " << common.polls << " polls, " << common.looks << " looks\n";
    return good;
}

bool checking::run() {
    if (!db.connect()) {
        std::cout << "not ok - the checker can connect\n# " << db.error();
        return false;
    }
    begin();
    std::jthread killer;
    if (opt.kill_worker > 0)
        killer = std::jthread([this](std::stop_token stopped) { kill_workers(stopped, opt, common); });
    auto planned = std::chrono::milliseconds(static_cast<long>(opt.seconds * 1000));
    auto until = steady::now() + planned;
    auto limit = until + 10 * planned; // on a slow machine
    while (common.errors == 0 && (steady::now() < until || (is_vacuous() && steady::now() < limit))) {
        write_and_stop();
        if (!everyone_reaches() && opt.stop_at_first)
            break;
        sleep_at_most(opt.idle);
    }
    killer = {};
    end();
    for (auto &s : sleepers)
        if (!s->done()) {
            std::cout << "not ok - a reader does not end\n";
            std::cout.flush();
            std::_Exit(1); // its thread cannot be joined
        }
    return report();
}

} // namespace

int main(int argc, char **argv) {
    options o;
    if (!parse(argc, argv, o)) {
        std::cerr << "usage: see the head of main.cpp\n";
        return 2;
    }
    checker::connection::timeout = "SET statement_timeout = '60s'";
    return checking(o).run() ? 0 : 1;
}
