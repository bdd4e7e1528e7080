// SPDX-License-Identifier: PostgreSQL
//
// Many tails in one process, over one connection that listens and four that read, while
// another process appends. Connects by libpq's environment.
//
//   client_tails appends STREAMS RATE SECONDS [PRODUCERS]
//       durable appends of one frame, RATE a second over all streams; latency from the return of the append
//   client_tails tokens STREAMS RATE SECONDS [PRODUCERS]
//       best-effort frames, RATE a second in each stream, spread evenly in time, gathered for 20 ms by each
//       producer and sent as one batch; latency from when the frame came into being
//
// Prints: frames a second delivered, median, 99th percentile and greatest latency in ms, frames lost, MiB of
// memory of the tailing process, its threads, its connections, lag of the producers in ms at the end.
#include <weir/weir.hpp>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds tick{20};

struct settings {
    bool tokens;
    int streams, rate, seconds, producers;
};

// What the two processes share. Times in microseconds of the same clock.
struct shared {
    std::atomic<bool> go{false};
    std::atomic<int> finished{0};
    std::atomic<long> sent{0}, behind{0};
    std::atomic<std::int64_t> begun{0};
};

std::int64_t now() { return std::chrono::duration_cast<microseconds>(steady::now().time_since_epoch()).count(); }

template <class T> T *share(std::size_t count) {
    void *const p = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        throw std::runtime_error("mmap");
    return static_cast<T *>(p);
}

std::string name(int stream) { return "tail/" + std::to_string(stream); }

// A frame says "STREAM NUMBER TIME"; appends leave the time of their return in `returned`.
void produce_appends(settings const &s, int who, shared &sh, std::atomic<std::int64_t> *returned) {
    weir::connection db;
    long const every = 1'000'000L * s.producers / s.rate;
    long const count = static_cast<long>(s.rate) * s.seconds / s.producers;
    std::minstd_rand random(static_cast<unsigned>(who) + 1);
    std::int64_t const begun = sh.begun;
    for (long i = 0; i < count; i++) {
        long const number = i * s.producers + who;
        std::int64_t const due = begun + i * every + who * every / s.producers;
        if (std::int64_t const early = due - now(); early > 0)
            std::this_thread::sleep_for(microseconds(early));
        weir::stream stream(db, name(static_cast<int>(random() % static_cast<unsigned>(s.streams))));
        (void)stream.append(std::to_string(number)).value();
        returned[number] = now();
        sh.sent++;
    }
    sh.behind = std::max<long>(sh.behind, (now() - begun) / 1000 - s.seconds * 1000L);
}

void produce_tokens(settings const &s, int who, shared &sh) {
    weir::connection db;
    weir::batch batch;
    std::int64_t const begun = sh.begun;
    long const every = 1'000'000L / s.rate;
    std::int64_t const step = std::chrono::duration_cast<microseconds>(tick).count();
    std::vector<long> numbers(static_cast<std::size_t>(s.streams), 0);
    for (std::int64_t at = begun; at < begun + s.seconds * 1'000'000L; at += step) {
        // All frames that come into being in this step; stream by stream at another phase of it.
        if (std::int64_t const early = at + step - now(); early > 0)
            std::this_thread::sleep_for(microseconds(early));
        for (int n = who; n < s.streams; n += s.producers) {
            long &number = numbers[static_cast<std::size_t>(n)];
            std::int64_t const phase = every * n / s.streams;
            for (std::int64_t born; (born = begun + number * every + phase) < at + step; number++)
                batch.append_best_effort(name(n),
                                         weir::json("[" + std::to_string(number) + "," + std::to_string(born) + "]"));
        }
        if (batch.empty())
            continue;
        sh.sent += static_cast<long>(batch.send(db).value().size());
        batch.clear();
    }
    sh.behind = std::max<long>(sh.behind, (now() - begun) / 1000 - s.seconds * 1000L);
}

void produce(settings const &s, shared &sh, std::atomic<std::int64_t> *returned) {
    while (!sh.go)
        std::this_thread::sleep_for(milliseconds(1));
    std::vector<std::jthread> all;
    for (int who = 0; who < s.producers; who++)
        all.emplace_back([&, who] {
            try {
                s.tokens ? produce_tokens(s, who, sh) : produce_appends(s, who, sh, returned);
            } catch (std::exception const &e) {
                std::cerr << "client_tails: " << e.what() << '\n';
                _exit(1);
            }
            sh.finished++;
        });
}

double status(char const *what) {
    std::ifstream in("/proc/self/status");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(what))
            return std::atof(line.c_str() + std::char_traits<char>::length(what));
    return 0;
}

// In the notifier's thread, all of it.
struct receiver {
    settings const &s;
    std::vector<std::int64_t> seen; // append number → time; in appends only
    std::vector<float> latencies;   // ms
    std::vector<long> next;         // of each stream
    long frames = 0, lost = 0;

    explicit receiver(settings const &with) : s(with), next(static_cast<std::size_t>(with.streams), 0) {
        if (!s.tokens)
            seen.resize(static_cast<std::size_t>(s.rate) * static_cast<std::size_t>(s.seconds), 0);
    }

    void take(weir::tail &t, int stream) {
        std::int64_t const at = now();
        for (weir::frame const &f : t.take()) {
            frames++;
            if (!s.tokens) {
                seen[std::stoul(*f.payload)] = at;
                continue;
            }
            char *end = nullptr;
            long const number = std::strtol(f.payload->c_str() + 1, &end, 10);
            std::int64_t const born = std::strtoll(end + 1, nullptr, 10);
            long &expected = next[static_cast<std::size_t>(stream)];
            lost += number - expected;
            expected = number + 1;
            latencies.push_back(static_cast<float>(static_cast<double>(at - born) / 1000));
        }
    }
};

void tail(settings const &s, shared &sh, std::atomic<std::int64_t> const *returned) {
    receiver r(s);
    r.latencies.reserve(static_cast<std::size_t>(s.streams) *
                        static_cast<std::size_t>(s.tokens ? s.rate * s.seconds : 1));
    weir::notifier n;
    std::vector<weir::tail> tails;
    tails.reserve(static_cast<std::size_t>(s.streams));
    for (int i = 0; i < s.streams; i++)
        tails.emplace_back(n, name(i), weir::tail_options{.from = weir::start::now(), .on_ready = [&tails, &r, i] {
                                                              r.take(tails[static_cast<std::size_t>(i)], i);
                                                          }});
    for (auto const &t : tails)
        if (!t.subscribed(std::chrono::seconds(60)))
            throw std::runtime_error("not subscribed");
    sh.begun = now() + 200'000;
    sh.go = true;
    while (sh.finished < s.producers)
        std::this_thread::sleep_for(milliseconds(20));
    auto const end = steady::now() + std::chrono::seconds(10);
    while (n.counts().frames < static_cast<std::uint64_t>(sh.sent) && steady::now() < end)
        std::this_thread::sleep_for(milliseconds(20));
    double const seconds = static_cast<double>(now() - sh.begun) / 1e6;
    double const memory = status("RssAnon:") + status("RssFile:"), threads = status("Threads:");
    auto const counts = n.counts();
    tails.clear();
    std::this_thread::sleep_for(milliseconds(50)); // the last callback
    if (!s.tokens)
        for (std::size_t i = 0; i < r.seen.size(); i++)
            if (r.seen[i] != 0)
                r.latencies.push_back(
                    static_cast<float>(static_cast<double>(std::max<std::int64_t>(0, r.seen[i] - returned[i])) / 1000));
    long const lost = sh.sent - r.frames;
    std::sort(r.latencies.begin(), r.latencies.end());
    auto const at = [&r](double share) {
        return r.latencies.empty()
                   ? -1.0F
                   : r.latencies[static_cast<std::size_t>(share * static_cast<double>(r.latencies.size() - 1))];
    };
    std::printf("%.0f %.3f %.3f %.3f %ld %.1f %.0f %zu %ld\n", static_cast<double>(r.frames) / seconds, at(0.5),
                at(0.99), at(1), std::max(lost, r.lost), memory / 1024, threads, counts.connections,
                std::max<long>(0, sh.behind));
    std::fprintf(stderr, "# sent %ld, received %ld, reads %llu, notifications %llu, polls %llu\n", sh.sent.load(),
                 r.frames, static_cast<unsigned long long>(counts.reads),
                 static_cast<unsigned long long>(counts.notifications), static_cast<unsigned long long>(counts.polls));
}

} // namespace

int main(int argc, char **argv) try {
    if (argc < 5)
        return 2;
    settings const s{.tokens = std::string_view(argv[1]) == "tokens",
                     .streams = std::atoi(argv[2]),
                     .rate = std::atoi(argv[3]),
                     .seconds = std::atoi(argv[4]),
                     .producers = argc > 5 ? std::atoi(argv[5]) : 2};
    {
        weir::connection db; // the streams are there before
        weir::batch all;
        for (int i = 0; i < s.streams; i++)
            all.append(name(i), weir::json("-1"));
        (void)all.send(db).value();
    }
    auto &sh = *new (share<shared>(1)) shared;
    auto *const returned = share<std::atomic<std::int64_t>>(
        s.tokens ? 1 : static_cast<std::size_t>(s.rate) * static_cast<std::size_t>(s.seconds));
    pid_t const child = fork();
    if (child == 0) {
        produce(s, sh, returned);
        _exit(0);
    }
    tail(s, sh, returned);
    int status = 0;
    waitpid(child, &status, 0);
    return status == 0 ? 0 : 1;
} catch (std::exception const &e) {
    std::cerr << "client_tails: " << e.what() << '\n';
    return 1;
}
