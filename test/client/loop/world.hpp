// SPDX-License-Identifier: PostgreSQL
//
// A world of its own for the notifier's loop: time that passes when the world says so,
// and a server with one stream and channels, in place of libpq's connections (world.cpp
// defines those functions of libpq that the loop calls). Whatever may happen next is a
// choice, and an explorer goes through all of them.
#pragma once

#include "notifier/surroundings.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

struct pg_result; // libpq's

namespace test {

using weir::until;

// All sequences of choices, depth first: run as long as next() says that there is another.
class explorer {
public:
    // One of `of` things, the first ones first.
    int choose(int of);
    bool next();
    std::uint64_t runs() const { return runs_; }

private:
    struct choice {
        int taken, of;
    };
    std::vector<choice> path_;
    std::size_t at_ = 0;
    std::uint64_t runs_ = 0;
};

// What libpq's connection is here.
struct connection {
    enum class state { connecting, open, lost, refused };
    int number = 0; // as a descriptor
    state now = state::connecting;
    std::string error = {};
    std::string statement = {}; // sent, and not answered
    std::int64_t after = 0;     // its cursor
    std::set<std::string> channels = {};
    std::deque<pg_result *> results = {}; // with a nullptr behind those of a statement
    std::deque<std::string> heard = {};   // notified, not yet arrived
    std::deque<std::string> arrived = {}; // and not yet taken
    bool news = false;                    // the socket is readable
    bool answered = false;                // while `statement` is there: the answer has been read
};

class world final : public weir::internal::surroundings {
public:
    struct limits {
        int events = 6;  // that are chosen; then all goes well
        int mishaps = 2; // of them: lost connections, refused ones, statements that fail
        int slips = 1;   // times that time passes where nobody waits
        bool pooler = false;
        std::string refusal = {};      // the SQLSTATE that connecting is refused with; none: nobody answers
        std::string failure = "53200"; // and that of a statement that fails
        bool fatal = false;            // which ends the session with it
        bool every_read_fails = false; // for good, and not as a mishap
    };

    world(explorer &by, limits max);
    ~world();

    // What users do, in this order, each at any time.
    std::deque<std::pair<std::string, std::function<void()>>> script;
    // Somebody waits for something that only the loop can bring.
    std::function<bool()> wanted = [] { return true; };

    // The server's.
    void append();
    void close_stream();
    void drop_stream();
    int failed_reads() const { return failed_reads_; }
    void notify(std::string const &channel);
    std::int64_t newest() const { return frames_; }

    // From here on nothing goes wrong, and nothing is chosen.
    bool calm() const { return calm_; }
    std::string trace() const;
    std::string wrong; // what may never be, and was

    until::clock::time_point now() override;
    void wait(std::vector<pollfd> &fds, until::clock::time_point limit) override;
    std::chrono::milliseconds any(std::chrono::milliseconds max) override;

    connection *connect();
    void close(connection *c);
    void send(connection &c, std::string statement, std::int64_t after);

private:
    struct event {
        std::string name;
        std::function<void()> happens;
        bool mishap = false;
    };
    std::vector<event> possible(until::clock::time_point limit, bool time_only);
    event next_of_script();
    void answer(connection &c, bool well);
    void lose(connection &c, connection::state how);
    std::string fault(until::clock::time_point limit) const;

    explorer &by_;
    limits left_;
    bool calm_ = false;
    until::clock::time_point now_{std::chrono::hours(1)};
    std::vector<std::unique_ptr<connection>> connections_;
    std::int64_t frames_ = 0;  // dropped_ + 1, … frames_ are there
    std::int64_t dropped_ = 0; // the newest that went with its stream
    std::int64_t closed_ = 0;  // the close mark; 0: open
    int failed_reads_ = 0;
    int numbers_ = 1000; // no descriptors of the process
    int rounds_ = 0;     // that nothing has happened in
    std::vector<std::string> trace_;
};

} // namespace test
