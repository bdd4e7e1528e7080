// SPDX-License-Identifier: PostgreSQL
//
// weir-lease-checker: many holders that quarrel over a few leases, one who revokes
// them, one who sweeps and forgets, one who vacuums and reindexes, then a verdict over what they recorded and what
// the streams say. Prints one `ok`/`not ok` line a claim and a line of counts; exits
// 0 where every claim held.
//
//   --conninfo S                 where (a superuser, for weir.lease_retention)
//   --seconds N --holders N --leases N --seed N
//   --timeout N                  seconds that a statement may take (30); a clock that steps ends it early
//   --run NAME                   prefix of leases, namespace of their history; must be new

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <thread>

#include "holder.hpp"
#include "verdict.hpp"

using namespace leases;

static bool parse(int argc, char **argv, options &o) {
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string name = argv[i], value = argv[i + 1];
        if (name == "--conninfo")
            o.conninfo = value;
        else if (name == "--run")
            o.run = value;
        else if (name == "--seconds")
            o.seconds = std::atof(value.c_str());
        else if (name == "--timeout")
            o.timeout = std::atof(value.c_str());
        else if (name == "--holders")
            o.holders = static_cast<unsigned>(std::atoi(value.c_str()));
        else if (name == "--leases")
            o.leases = static_cast<unsigned>(std::atoi(value.c_str()));
        else if (name == "--seed")
            o.seed = static_cast<std::uint64_t>(std::atoll(value.c_str()));
        else
            return false;
    }
    return argc % 2 == 1 && o.holders > 0 && o.leases > 0;
}

static void revoke(const options &o, record &seen, const std::atomic<bool> &stop) {
    connection db(o.conninfo);
    dice choose(o.seed * 31 + 1);
    if (!db.connect())
        return seen.errors.push_back(db.error());
    while (!stop) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5 + choose.below(60)));
        unsigned lease = choose.below(o.leases);
        span at{now(), 0};
        result r = db.execute("SELECT weir.lease_revoke($1, 'the checker', 'to see what happens')", {o.lease(lease)});
        at.to = now();
        if (!r.ok())
            seen.errors.push_back(r.sqlstate() + " " + r.message());
        else if (*r.value(0, 0) == 't')
            seen.acts.push_back({deed::revoke, lease, 0, at, 0, true});
    }
}

static void sweep(const options &o, record &seen, const std::atomic<bool> &stop) {
    connection db(o.conninfo);
    dice choose(o.seed * 31 + 2);
    if (!db.connect())
        return seen.errors.push_back(db.error());
    while (!stop) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2 + choose.below(40)));
        bool forget = choose.percent(30), whole = choose.percent(80);
        (void)db.execute(forget ? "SET weir.lease_retention = 0" : "SET weir.lease_retention = 3600");
        (void)db.execute("BEGIN");
        result r = db.execute("SELECT weir.lease_sweep()");
        if (!r.ok())
            seen.errors.push_back(r.sqlstate() + " " + r.message());
        (void)db.execute(whole ? "COMMIT" : "ROLLBACK");
        ++seen.sweeps;
        if (r.ok() && whole)
            seen.expired += static_cast<std::uint64_t>(r.integer(0, 0));
    }
}

// Rows move and are frozen, their places are used again, and the index changes.
static void maintain(const options &o, record &seen, const std::atomic<bool> &stop) {
    connection db(o.conninfo);
    if (!db.connect())
        return seen.errors.push_back(db.error());
    for (unsigned round = 0; !stop; ++round) {
        static constexpr const char *statements[] = {"VACUUM weir.lease", "REINDEX INDEX CONCURRENTLY weir.lease_pkey",
                                                     "VACUUM (FREEZE) weir.lease",
                                                     "VACUUM (INDEX_CLEANUP ON) weir.lease"};
        result r = db.execute(statements[round % std::size(statements)]);
        if (!r.ok())
            seen.errors.push_back(r.sqlstate() + " " + r.message());
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

int main(int argc, char **argv) {
    options o;
    if (!parse(argc, argv, o)) {
        std::cerr << "usage: see the head of main.cpp\n";
        return 2;
    }
    connection::timeout =
        "SET statement_timeout = " + std::to_string(static_cast<long>(o.timeout * 1000)); // a hang is a finding
    std::atomic<bool> stop = false;
    std::vector<std::unique_ptr<holder>> holders;
    std::vector<record> records(3);
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < o.holders; ++i)
            holders.push_back(std::make_unique<holder>(o, i + 1));
        for (auto &h : holders)
            threads.emplace_back([&] { h->run(stop); });
        threads.emplace_back([&] { revoke(o, records[0], stop); });
        threads.emplace_back([&] { sweep(o, records[1], stop); });
        threads.emplace_back([&] { maintain(o, records[2], stop); });
        std::this_thread::sleep_for(std::chrono::duration<double>(o.seconds));
        stop = true;
    }
    for (auto &h : holders)
        records.push_back(h->seen);
    verdict v(o, records);
    connection db(o.conninfo);
    if (!db.connect()) {
        std::cout << "not ok - the checker can connect\n# " << db.error();
        return 1;
    }
    v.fetch(db);
    v.judge();
    return v.report() ? 0 : 1;
}
