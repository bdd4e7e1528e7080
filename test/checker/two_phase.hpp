// SPDX-License-Identifier: PostgreSQL
//
// Finishes what a writer has prepared, from a connection and a thread of its own, as
// a transaction manager does. Not from the writer's: its next append may have to
// wait for what it left prepared.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "database.hpp"
#include "history.hpp"
#include "options.hpp"

namespace checker {

struct prepared {
    std::string gid;
    std::vector<std::size_t> frames; // the writer's attempts
    bool commit = true;
    bool sure = true; // PREPARE was acknowledged
    std::chrono::steady_clock::time_point due;
    bool asked = false;
    status became = status::open;
};

class two_phase {
public:
    two_phase(const options &o, shared &s) : opt(o), common(s), db(o.conninfo) {}

    void start();
    bool has_room();
    void add(prepared p);
    // What was finished since the last call.
    std::deque<prepared> finished();
    // Finishes all that is left.
    void stop();

private:
    void run();
    void finish(prepared &p);

    const options &opt;
    shared &common;
    connection db;
    std::mutex lock;
    std::deque<prepared> waiting, done;
    std::atomic<bool> no_more = false;
    std::thread thread;
};

// Where the server may be killed, wait for it as long as a restart can take.
bool connect_patiently(connection &c, const options &o, shared &s, const char *who);

} // namespace checker
