// SPDX-License-Identifier: PostgreSQL
//
// Many subscribers of one stream. On libpq alone, so that nothing of the client library
// is in the figures. Connects by libpq's environment.
//
//   subscribers COUNT CONNECTIONS RATE SECONDS
//
// COUNT subscriptions are served over CONNECTIONS connections, each by a thread of its
// own; one connection more listens for all of them, and eight emit RATE events a second
// between them, each event in a transaction of its own. A handler takes what fetch gives
// it, acknowledges it together with its next fetch, and rests for 10 ms between two: who
// comes at every event pays for a hundred thousand transactions a second. Events are
// committed durably, acknowledgements are not: one that a crash loses is a redelivery.
//
// Prints the median and the 99th percentile in ms of the time from the return of an
// event's commit to its handler, the number of events handled, that of the fetches, and
// the rate reached. Fails where a subscriber lacks an event or has one twice.
#include "plain.hpp"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace plain;

result execute(connection const &c, char const *name, char const *parameter) {
    return checked(c, PQexecPrepared(c.get(), name, 1, &parameter, nullptr, nullptr, 0));
}

// How often the doorbell rang.
class bell {
public:
    void ring() {
        {
            std::lock_guard lock(mutex_);
            rings_++;
        }
        rung_.notify_all();
    }
    std::size_t rings() {
        std::lock_guard lock(mutex_);
        return rings_;
    }
    // A second at the most: a ring is only a hint.
    void wait(std::size_t seen) {
        std::unique_lock lock(mutex_);
        rung_.wait_for(lock, std::chrono::seconds(1), [&] { return rings_ != seen; });
    }

private:
    std::mutex mutex_;
    std::condition_variable rung_;
    std::size_t rings_ = 0;
};

struct subscriber {
    std::string name;
    std::string upto; // handled and not yet acknowledged
    std::vector<steady::time_point> handled;
    std::vector<int> times;
    std::size_t count = 0;
};

// The acknowledgement and the next fetch, in one transaction and one round trip.
std::size_t serve(connection const &c, subscriber &s) {
    char const *parameters[] = {s.name.c_str(), s.upto.c_str()};
    if (!PQenterPipelineMode(c.get()))
        die(PQerrorMessage(c.get()));
    if (!s.upto.empty())
        PQsendQueryPrepared(c.get(), "ack", 2, parameters, nullptr, nullptr, 0);
    PQsendQueryPrepared(c.get(), "take", 1, parameters, nullptr, nullptr, 0);
    PQpipelineSync(c.get());
    std::size_t count = 0;
    for (bool done = false; !done;) {
        PGresult *next = PQgetResult(c.get());
        if (next == nullptr)
            continue;
        result r = checked(c, next);
        done = PQresultStatus(r.get()) == PGRES_PIPELINE_SYNC;
        if (PQnfields(r.get()) != 2)
            continue;
        steady::time_point now = steady::now();
        s.upto.clear();
        for (int row = 0; row < PQntuples(r.get()); row++) {
            auto n = static_cast<std::size_t>(std::atoll(PQgetvalue(r.get(), row, 1)));
            if (n >= s.times.size())
                die("an event that was not emitted");
            s.upto = PQgetvalue(r.get(), row, 0);
            s.handled[n] = now;
            s.times[n]++;
            count++;
        }
    }
    PQexitPipelineMode(c.get());
    s.count += count;
    return count;
}

std::string percentile(std::vector<double> &sorted, std::size_t percent) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", sorted[sorted.size() * percent / 100]);
    return text;
}

constexpr std::size_t emitters = 8;
constexpr std::chrono::milliseconds rest{10};

// Emits all events at their time; when the commit of each returned.
std::vector<steady::time_point> emit(std::size_t total, std::size_t rate) {
    std::vector<steady::time_point> committed(total);
    std::vector<connection> connections;
    for (std::size_t i = 0; i < emitters; i++) {
        connections.push_back(connect());
        run(connections[i], "PREPARE emit AS SELECT weir.emit('events', jsonb_build_object('n', $1::bigint), 'made')");
    }
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> threads;
    steady::time_point const begin = steady::now();
    for (connection const &c : connections) {
        threads.emplace_back([&] {
            for (std::size_t n; (n = next++) < total;) {
                std::this_thread::sleep_until(begin + n * std::chrono::nanoseconds(1000000000 / rate));
                execute(c, "emit", std::to_string(n).c_str());
                committed[n] = steady::now();
            }
        });
    }
    for (std::thread &t : threads)
        t.join();
    return committed;
}

void measure(std::size_t count, std::size_t connections, std::size_t rate, std::size_t seconds) {
    connection admin = connect();
    std::size_t const total = rate * seconds;
    std::vector<subscriber> subscribers(count);
    for (std::size_t i = 0; i < count; i++) {
        subscriber &s = subscribers[i];
        s.name = "s" + std::to_string(i);
        s.handled.resize(total);
        s.times.resize(total);
        run(admin, "SELECT weir.subscribe('" + s.name + "', 'events')");
    }
    bell bell;
    std::atomic<std::size_t> fetches = 0;
    std::atomic<bool> stopping = false, listening = false;
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
        connection c = connect();
        run(c, "LISTEN \"" + std::string(PQgetvalue(run(c, "SELECT weir.channel('events')").get(), 0, 0)) + "\"");
        listening = true;
        while (!stopping) {
            pollfd fd{PQsocket(c.get()), POLLIN, 0};
            poll(&fd, 1, 100);
            if (!PQconsumeInput(c.get()))
                die(PQerrorMessage(c.get()));
            bool woken = false;
            while (PGnotify *n = PQnotifies(c.get())) {
                PQfreemem(n);
                woken = true;
            }
            if (woken)
                bell.ring();
        }
    });
    std::atomic<std::size_t> ready = 0;
    for (std::size_t t = 0; t < connections; t++) {
        threads.emplace_back([&, t] {
            connection c = connect();
            run(c, "SET synchronous_commit = off");
            run(c, "PREPARE take AS SELECT id, payload ->> 'n' FROM weir.fetch($1, 1000)");
            run(c, "PREPARE ack AS SELECT weir.ack($1, $2)");
            for (std::size_t i = t; i < count; i += connections)
                execute(c, "take", subscribers[i].name.c_str());
            ready++;
            for (std::size_t seen = 0, missing = 1; missing > 0; std::this_thread::sleep_for(rest)) {
                bell.wait(seen);
                seen = bell.rings();
                missing = 0;
                for (std::size_t i = t; i < count; i += connections) {
                    serve(c, subscribers[i]);
                    fetches++;
                    missing += total > subscribers[i].count ? total - subscribers[i].count : 0;
                }
            }
            for (std::size_t i = t; i < count; i += connections)
                if (serve(c, subscribers[i]) > 0)
                    die("an event came twice");
        });
    }
    while (ready < connections || !listening)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));

    steady::time_point const begin = steady::now();
    std::vector<steady::time_point> const committed = emit(total, rate);
    double const took = std::chrono::duration<double>(steady::now() - begin).count();
    for (std::size_t t = 1; t < threads.size(); t++)
        threads[t].join();
    stopping = true;
    threads[0].join();

    std::vector<double> delays;
    for (subscriber const &s : subscribers) {
        for (std::size_t n = 0; n < total; n++) {
            if (s.times[n] != 1)
                die("event " + std::to_string(n) + " came " + std::to_string(s.times[n]) + " times to " + s.name);
            delays.push_back(
                std::max(0.0, std::chrono::duration<double, std::milli>(s.handled[n] - committed[n]).count()));
        }
    }
    std::sort(delays.begin(), delays.end());
    std::printf("%s %s %zu %zu %.0f\n", percentile(delays, 50).c_str(), percentile(delays, 99).c_str(), delays.size(),
                fetches.load(), static_cast<double>(total) / took);
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 5)
        die("see the head of subscribers.cpp");
    measure(std::stoul(argv[1]), std::stoul(argv[2]), std::stoul(argv[3]), std::stoul(argv[4]));
}
