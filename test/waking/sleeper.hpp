// SPDX-License-Identifier: PostgreSQL
//
// A reader that only looks when it is woken. There are four kinds:
//
//   wait    CALL weir.wait() on one stream
//   many    CALL weir.wait_many() on all of them
//   listen  LISTEN on one stream's channel
//   watch   LISTEN on the database's channel, looking at the streams that it names
//
// Each looks once after it began to listen, and then never without having been
// woken: by a ring, by its poll, or by prod(), which is how the checker goes on
// after a wakeup got lost.
#pragma once

#include <memory>
#include <thread>

#include "database.hpp"
#include "shared.hpp"

namespace waking {

enum class kind { wait, many, listen, watch };
constexpr const char *names_of_kinds[] = {"weir.wait()", "weir.wait_many()", "LISTEN on a stream",
                                          "LISTEN on all streams"};

class sleeper {
public:
    sleeper(const options &o, shared &s, kind which, unsigned number);
    ~sleeper();

    void start();
    void prod();

    // Whether it has read so far; heads are those of all streams.
    bool reached(const std::vector<position> &heads) const;
    std::string whereabouts(const std::vector<position> &heads) const;
    bool done() const { return ended; }

    const kind which;

private:
    struct tail {
        unsigned stream;
        std::atomic<position> cursor{0};
        std::atomic<bool> closed{false};
    };

    void run();
    checker::result prepare_to_call();
    checker::result begin_to_listen();
    bool look(tail &t);
    bool look_at_open();
    bool sleep_in_call();
    bool sleep_on_socket();
    bool wait_for_socket(int timeout_ms, bool *timed_out);
    void take(const char *payload);

    const options &opt;
    shared &common;
    const unsigned number;
    std::vector<std::unique_ptr<tail>> tails;
    checker::connection db;
    std::unique_ptr<PGcancel, void (*)(PGcancel *)> canceller{nullptr, PQfreeCancel};
    std::vector<bool> named; // by the last notifications
    int wakeup = -1;         // eventfd
    std::atomic<bool> ready_to_cancel{false}, prodded{false}, ended{false};
    std::thread thread;
};

} // namespace waking
