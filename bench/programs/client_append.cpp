// SPDX-License-Identifier: PostgreSQL
//
// How fast one connection of the client library appends durable frames to one of 64
// streams after the other. Prints frames a second. Connects by libpq's environment.
//
//   client_append single | pipeline | batch SECONDS PAYLOAD    SECONDS are measured after half of one
//   client_append copy SECONDS PAYLOAD                         COPY of the same rows into plain_log
//
// batch and copy write a thousand rows with each call and transaction.
#include <weir/weir.hpp>

#include <libpq-fe.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;

constexpr int streams = 64, rows = 1000;

// Calls f again and again; it returns how many frames it has appended.
double rate(double seconds, std::function<int()> const &f) {
    auto const run = [&f](double time) {
        auto const begun = steady::now();
        std::chrono::duration<double> elapsed{0};
        long frames = 0;
        while (elapsed.count() < time) {
            frames += f();
            elapsed = steady::now() - begun;
        }
        return static_cast<double>(frames) / elapsed.count();
    };
    run(0.5);
    return run(seconds);
}

std::string name(int n) { return std::to_string(n % streams + 1); }

double single(double seconds, std::string_view payload) {
    weir::connection db;
    int n = 0;
    return rate(seconds, [&] {
        (void)weir::stream(db, name(n++)).append(payload).value();
        return 1;
    });
}

double pipeline(double seconds, std::string_view payload) {
    weir::connection db;
    int n = 0;
    weir::pipeline p(db, [](weir::append_outcome const &o) { (void)o.value(); });
    double const r = rate(seconds, [&] {
        p.append(name(n++), weir::json(payload));
        return 1;
    });
    p.finish();
    return r;
}

double batch(double seconds, std::string_view payload) {
    weir::connection db;
    std::vector<std::string_view> const payloads(rows, payload);
    int n = 0;
    return rate(seconds, [&] { return weir::stream(db, name(n++)).append_batch(payloads).value().frames; });
}

double copy(double seconds, std::string_view payload) {
    PGconn *const c = PQconnectdb("");
    int n = 0;
    auto const check = [c](bool ok) {
        if (!ok) {
            std::cerr << PQerrorMessage(c);
            std::exit(1);
        }
    };
    check(PQstatus(c) == CONNECTION_OK);
    std::string data;
    double const r = rate(seconds, [&] {
        data.clear();
        std::string const stream = std::to_string(n++ % streams + 1);
        for (int i = 0; i < rows; i++)
            data.append(stream).append("\t1\t0\td\t").append(payload).append("\n");
        PGresult *begun = PQexec(c, "COPY plain_log (stream_id, ordinal, version, mode, payload) FROM STDIN");
        check(PQresultStatus(begun) == PGRES_COPY_IN);
        PQclear(begun);
        check(PQputCopyData(c, data.data(), static_cast<int>(data.size())) == 1 && PQputCopyEnd(c, nullptr) == 1);
        while (PGresult *const done = PQgetResult(c)) {
            check(PQresultStatus(done) == PGRES_COMMAND_OK);
            PQclear(done);
        }
        return rows;
    });
    PQfinish(c);
    return r;
}

} // namespace

int main(int argc, char **argv) try {
    if (argc != 4)
        return 2;
    std::string_view const how = argv[1], payload = argv[3];
    double const seconds = std::atof(argv[2]);
    double const r = how == "single"     ? single(seconds, payload)
                     : how == "pipeline" ? pipeline(seconds, payload)
                     : how == "batch"    ? batch(seconds, payload)
                                         : copy(seconds, payload);
    std::printf("%.1f\n", r);
} catch (std::exception const &e) {
    std::cerr << "client_append: " << e.what() << '\n';
    return 1;
}
