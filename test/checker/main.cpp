// SPDX-License-Identifier: PostgreSQL
//
// weir-checker: many writers and tailing readers against one server, then a verdict
// over what they recorded. Prints one `ok`/`not ok` line a claim and a line of
// counts; exits 0 where every claim held.
//
//   --conninfo S             where to write (a superuser, for VACUUM; any writer with --no-vacuum)
//   --reader-conninfo S      where to read: a hot standby, which has no best-effort frames
//   --seconds N --writers N --readers N --streams N --seed N
//   --transactions N         go on, up to a minute longer, until so many have committed (1)
//   --run NAME               prefix of stream names and gids (default checker); must be new
//   --naive                  read `WHERE id > cursor` over visible rows, to see the checker fail
//   --keep-going-on-disconnect   the server is being killed: reconnect, and carry on
//   --timeout N              seconds that a statement may take (60), 0: any, and none is cancelled
//   --history FILE           write the recorded history where a claim fails
//   --no-vacuum              do not VACUUM and REINDEX the log meanwhile

#include <chrono>
#include <cstring>
#include <iostream>
#include <memory>
#include <thread>

#include "verdict.hpp"

using namespace checker;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

static bool parse(int argc, char **argv, options &o) {
    for (int i = 1; i < argc; ++i) {
        std::string name = argv[i];
        if (name == "--naive")
            o.naive = true;
        else if (name == "--keep-going-on-disconnect")
            o.keep_going = true;
        else if (name == "--no-vacuum")
            o.vacuum = false;
        else if (i + 1 == argc)
            return false;
        else if (std::string value = argv[++i]; name == "--conninfo")
            o.conninfo = value;
        else if (name == "--reader-conninfo")
            o.reader_conninfo = value;
        else if (name == "--run")
            o.run = value;
        else if (name == "--history")
            o.history = value;
        else if (double n = std::atof(value.c_str()); name == "--seconds")
            o.seconds = n;
        else if (name == "--timeout")
            o.timeout = n;
        else if (name == "--writers")
            o.writers = static_cast<unsigned>(n);
        else if (name == "--readers")
            o.readers = static_cast<unsigned>(n);
        else if (name == "--streams")
            o.streams = static_cast<unsigned>(n);
        else if (name == "--transactions")
            o.transactions = static_cast<unsigned>(n);
        else if (name == "--seed")
            o.seed = static_cast<std::uint64_t>(n);
        else
            return false;
    }
    return o.writers > 0 && o.readers > 0 && o.streams > 0 && o.streams <= max_streams;
}

// Aborted tuples are pruned and their line pointers used again under readers' eyes,
// rows are frozen, indexes change while they are written. Not REINDEX TABLE: of a
// TOAST index the server itself (15.18) makes "missing chunk number 0" meanwhile, on
// any table.
static void maintain(const options &o, shared &s) {
    static constexpr const char *statements[] = {
        "VACUUM weir.frame_log",
        "VACUUM weir.frame_best_effort",
        "VACUUM (FREEZE) weir.frame_log",
        "VACUUM (FREEZE) weir.frame_best_effort",
        "VACUUM (INDEX_CLEANUP ON) weir.frame_log",
        "REINDEX INDEX CONCURRENTLY weir.frame_log_pkey",
        "VACUUM weir.frame_best_effort",
        "REINDEX INDEX CONCURRENTLY weir.frame_best_effort_pkey",
    };
    connection db(o.conninfo);
    for (unsigned i = 0; !s.writers_done && !s.give_up; ++i) {
        if (db.connected() || db.connect())
            s.vacuums += db.execute(statements[i % std::size(statements)]).ok();
        std::this_thread::sleep_for(100ms);
    }
}

// Also under a server that is being killed.
static bool close_streams(const options &o, shared &s) {
    connection db(o.conninfo);
    auto limit = steady::now() + 60s;
    for (unsigned stream = 0; stream < o.streams;) {
        if (steady::now() > limit)
            return false;
        if (!db.connected() && !db.connect()) {
            std::this_thread::sleep_for(20ms);
            continue;
        }
        position below = s.last_assigned[stream];
        result r = db.execute("SELECT weir.close($1, 'done')::bigint", {o.stream(stream)});
        if (r.lost())
            continue;
        if (!r.ok())
            s.violate(claim::errors, "close: " + r.sqlstate() + " " + r.message());
        else if (r.integer(0, 0) <= below)
            s.violate(claim::monotonic,
                      o.stream(stream) + ": closed at " + text_of(r.integer(0, 0)) + ", below " + text_of(below));
        ++stream;
    }
    return true;
}

int main(int argc, char **argv) {
    options o;
    if (!parse(argc, argv, o)) {
        std::cerr << "usage: see the head of main.cpp\n";
        return 2;
    }
    shared s;
    connection::timeout = "SET statement_timeout = " + std::to_string(static_cast<long>(o.timeout * 1000));
    {
        connection db(o.conninfo);
        if (!db.connect()) {
            std::cout << "not ok - the checker can connect\n# " << db.error();
            return 1;
        }
        if (std::atoi(db.execute("SHOW max_prepared_transactions").value(0, 0)) < static_cast<int>(2 * o.writers))
            o.prepared = 0;
        // A floor that no run reaches: then no best-effort frame may be missing.
        for (unsigned i = 0; i < o.streams; ++i) {
            result r = db.execute("SELECT weir.create_stream($1, frame_ttl => '1 day', maxlen_floor => 10000000,"
                                  " maxlen_ceiling => 10000000)",
                                  {o.stream(i)});
            if (!r.ok() && r.sqlstate() != "WR002")
                s.violate(claim::errors, "create_stream: " + r.sqlstate() + " " + r.message());
        }
    }

    auto started = steady::now(), until = started + std::chrono::milliseconds(static_cast<long>(o.seconds * 1000));
    std::vector<std::unique_ptr<writer>> writers;
    std::vector<std::unique_ptr<reader>> readers;
    for (unsigned i = 0; i < o.writers; ++i)
        writers.push_back(std::make_unique<writer>(o, s, i));
    for (unsigned i = 0; i < o.readers; ++i)
        readers.push_back(std::make_unique<reader>(o, s, i));
    std::vector<std::jthread> threads;
    std::atomic<unsigned> reading = o.readers;
    for (auto &r : readers)
        threads.emplace_back([&] {
            r->run();
            --reading;
        });
    if (o.vacuum)
        threads.emplace_back([&] { maintain(o, s); });
    {
        std::vector<std::jthread> writing;
        for (auto &w : writers)
            writing.emplace_back([&] { w->run(until); });
    }
    s.writers_done = true;
    bool closed = close_streams(o, s);
    s.drain = true;
    // Readers behind a slow standby get their time, but not forever.
    for (auto limit = steady::now() + 120s; reading > 0 && closed && steady::now() < limit;)
        std::this_thread::sleep_for(5ms);
    bool drained = reading == 0;
    s.give_up = true;
    threads.clear();

    options all = o;
    all.naive = false;
    all.reader_conninfo.clear();
    s.give_up = false;
    reader final_read(all, s, 0);
    std::jthread watchdog([&](std::stop_token stop) {
        for (auto limit = steady::now() + 60s; !stop.stop_requested() && steady::now() < limit;)
            std::this_thread::sleep_for(5ms);
        s.give_up = true;
    });
    final_read.run();
    watchdog.request_stop();

    if (!drained || !closed || !final_read.done())
        s.violate(claim::errors, "a reader never met the close marks");
    verdict v(o, s, writers, readers, final_read);
    v.judge();
    bool vacuous = !s.enough(o) || v.patches == 0 || v.deliveries < v.committed;
    bool good = v.report(vacuous);
    if (!good && !o.history.empty())
        v.dump(o.history);
    std::cout << "# weir-checker: seed " << o.seed << ", " << o.writers << " writers, " << o.readers << " readers, "
              << o.streams << " streams, "
              << std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - started).count()
              << " ms; frames " << v.committed << " committed, " << v.aborted << " aborted, " << v.doubtful
              << " in doubt; deliveries " << v.deliveries << ", reads " << s.reads << ", patches " << v.patches
              << "; transactions " << s.commits << " committed, " << s.rollbacks << " rolled back, " << s.prepared
              << " prepared; savepoints rolled back " << s.savepoint_rollbacks << ", overflowed snapshots "
              << s.overflows << ", cancelled " << s.cancelled << ", disconnects " << s.disconnects << ", replays "
              << s.replayed << ", maintenance " << s.vacuums << '\n';
    return good ? 0 : 1;
}
