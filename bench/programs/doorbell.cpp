// SPDX-License-Identifier: PostgreSQL
//
// What listeners of the doorbell see. On libpq alone, so that nothing of the client
// library is in the figures. Connects by libpq's environment.
//
//   doorbell listen CHANNEL…            a connection for each, until standard input ends
//   doorbell latency HOW RATE SECONDS   HOW: listen, wait or pg_notify; prints the median and the 99th percentile
//                                       in ms of the time from the return of a commit to the wakeup
//   doorbell together STREAMS WAITERS   all streams woken by one commit: prints the time in ms until the last waiter
//                                       (of weir.wait_many, the streams dealt out among them) and the last listener
//                                       (one connection) woke
#include "plain.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace plain;

std::string value(result const &r) { return PQgetvalue(r.get(), 0, 0); }

std::string channel_of(connection const &c, std::string const &stream) {
    return value(run(c, "SELECT weir.channel('" + stream + "')"));
}

void listen_to(connection const &c, std::string const &channel) { run(c, "LISTEN \"" + channel + "\""); }

// Positions compare as numbers.
long long number_of(std::string const &position) {
    char *rest = nullptr;
    long long ms = std::strtoll(position.c_str(), &rest, 10);
    return (ms << 20) | std::strtoll(rest + 1, nullptr, 10);
}

void listen(std::vector<std::string> const &channels) {
    std::vector<connection> connections;
    std::vector<pollfd> fds{{STDIN_FILENO, POLLIN, 0}};
    for (std::string const &channel : channels) {
        connections.push_back(connect());
        listen_to(connections.back(), channel);
        fds.push_back({PQsocket(connections.back().get()), POLLIN, 0});
    }
    std::puts("listening");
    std::fflush(stdout);
    for (;;) {
        if (poll(fds.data(), fds.size(), -1) < 0)
            die("poll");
        if (fds[0].revents != 0)
            return;
        for (std::size_t i = 0; i < connections.size(); i++) {
            if (fds[i + 1].revents == 0)
                continue;
            if (!PQconsumeInput(connections[i].get()))
                die(PQerrorMessage(connections[i].get()));
            while (PGnotify *n = PQnotifies(connections[i].get()))
                PQfreemem(n);
        }
    }
}

struct event {
    long long position;
    steady::time_point at;
};

// Wakeups as (newest position it tells of, when), until told to stop.
class waker {
public:
    explicit waker(std::string how) : how_(std::move(how)), connection_(connect()) {
        if (how_ != "wait")
            listen_to(connection_, channel_of(connection_, "latency"));
        thread_ = std::thread([this] { how_ == "wait" ? wait() : listen(); });
    }
    std::vector<event> stop() {
        stopping_ = true;
        thread_.join();
        return std::move(events_);
    }

private:
    void listen() {
        while (!stopping_) {
            pollfd fd{PQsocket(connection_.get()), POLLIN, 0};
            poll(&fd, 1, 100);
            steady::time_point now = steady::now();
            PQconsumeInput(connection_.get());
            while (PGnotify *n = PQnotifies(connection_.get())) {
                events_.push_back({number_of(n->extra), now});
                PQfreemem(n);
            }
        }
    }
    void wait() {
        std::string head = value(run(connection_, "SELECT weir.head('latency')"));
        while (!stopping_) {
            run(connection_, "CALL weir.wait('latency', '" + head + "', '100 ms')");
            steady::time_point now = steady::now();
            head = value(run(connection_, "SELECT weir.head('latency')"));
            events_.push_back({number_of(head), now});
        }
    }

    std::string how_;
    connection connection_;
    std::atomic<bool> stopping_ = false;
    std::vector<event> events_;
    std::thread thread_;
};

void latency(std::string const &how, int rate, int seconds) {
    connection writer = connect();
    run(writer, "SELECT weir.append('latency', '{}')");
    waker woken(how);
    run(writer, how == "pg_notify" ? "PREPARE w AS WITH a AS (SELECT weir.append('latency', '{\"n\": 1}') AS id) "
                                     "SELECT id, pg_notify(weir.channel('latency'), id::text) FROM a"
                                   : "PREPARE w AS SELECT weir.append('latency', '{\"n\": 1}')");
    std::vector<event> commits;
    auto step = std::chrono::nanoseconds(1000000000 / rate);
    steady::time_point next = steady::now(), end = next + std::chrono::seconds(seconds);
    while (next < end) {
        std::this_thread::sleep_until(next);
        result r = run(writer, "EXECUTE w");
        commits.push_back({number_of(value(r)), steady::now()});
        next += step;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    std::vector<event> events = woken.stop();
    std::vector<double> delays;
    std::size_t lost = 0, at = 0;
    for (event const &c : commits) {
        while (at < events.size() && events[at].position < c.position)
            at++;
        if (at == events.size())
            lost++;
        else
            delays.push_back(std::max(0.0, std::chrono::duration<double, std::milli>(events[at].at - c.at).count()));
    }
    if (lost > 0)
        die(std::to_string(lost) + " commits woke nobody");
    std::sort(delays.begin(), delays.end());
    std::printf("%.4f %.4f %zu\n", delays[delays.size() / 2], delays[delays.size() * 99 / 100], delays.size());
}

void together(int streams, int waiters) {
    connection writer = connect(), listener = connect();
    run(writer, "SELECT weir.append('t' || i, '{}') FROM generate_series(1, " + std::to_string(streams) + ") i");
    result channels =
        run(listener, "SELECT weir.channel('t' || i) FROM generate_series(1, " + std::to_string(streams) + ") i");
    for (int i = 0; i < streams; i++)
        listen_to(listener, PQgetvalue(channels.get(), i, 0));
    // Every waiter waits for its share, and wakes again and again until all of it has come.
    std::atomic<int> ready = 0, left = waiters;
    std::atomic<long long> last_ns = 0;
    std::vector<std::thread> threads;
    for (int w = 0; w < waiters; w++) {
        threads.emplace_back([&, w] {
            connection c = connect();
            std::string mine = "FROM generate_series(" + std::to_string(w + 1) + ", " + std::to_string(streams) + ", " +
                               std::to_string(waiters) + ") i";
            run(c, "CREATE TEMP TABLE mine AS SELECT 't' || i AS s, weir.head('t' || i) AS after " + mine);
            ready++;
            for (int n = streams / waiters; n > 0;) {
                result r = run(c, "SELECT quote_literal(array_agg(s)), quote_literal(array_agg(after)) FROM mine");
                run(c, "CALL weir.wait_many(" + value(r) + ", " + PQgetvalue(r.get(), 0, 1) + ", '60 s')");
                n -= std::atoi(PQcmdTuples(run(c, "DELETE FROM mine WHERE weir.head(s) > after").get()));
            }
            last_ns = std::max<long long>(last_ns, steady::now().time_since_epoch().count());
            left--;
        });
    }
    while (ready < waiters)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    run(writer, "SELECT weir.append('t' || i, '{}') FROM generate_series(1, " + std::to_string(streams) + ") i");
    steady::time_point woken = steady::now(), heard = woken;
    std::map<std::string, bool> seen;
    while (seen.size() < static_cast<std::size_t>(streams)) {
        pollfd fd{PQsocket(listener.get()), POLLIN, 0};
        if (poll(&fd, 1, 60000) == 0)
            die("a stream was not announced");
        PQconsumeInput(listener.get());
        heard = steady::now();
        while (PGnotify *n = PQnotifies(listener.get())) {
            seen[n->relname] = true;
            PQfreemem(n);
        }
    }
    for (std::thread &t : threads)
        t.join();
    steady::time_point woke{steady::duration(last_ns.load())};
    std::printf("%.2f %.2f\n", std::chrono::duration<double, std::milli>(woke - woken).count(),
                std::chrono::duration<double, std::milli>(heard - woken).count());
}

} // namespace

int main(int argc, char **argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() >= 2 && arguments[0] == "listen")
        listen({arguments.begin() + 1, arguments.end()});
    else if (arguments.size() == 4 && arguments[0] == "latency")
        latency(arguments[1], std::stoi(arguments[2]), std::stoi(arguments[3]));
    else if (arguments.size() == 3 && arguments[0] == "together")
        together(std::stoi(arguments[1]), std::stoi(arguments[2]));
    else
        die("see the head of doorbell.cpp");
}
