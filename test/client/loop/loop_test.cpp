// SPDX-License-Identifier: PostgreSQL
//
// Claim: whatever happens in whatever order, the notifier's loop sleeps only as long as
// what is wanted allows, is not awake for nothing, and once the server is well again, all
// is heard and read. By all orders of events up to a bound, not by luck; a failure names
// the order.
#include "../../unit/catch.hpp"
#include "notifier/loop.hpp"
#include "notifier/tail_core.hpp"
#include "world.hpp"

#include <memory>

using namespace test;
using namespace weir;
using namespace weir::internal;
using namespace std::chrono_literals;

namespace {

notifier_options few() {
    return {.conninfo = "host=nowhere",
            .readers = 1,
            .slow_poll = 1h,
            .poll = 100ms,
            .connect_timeout = 5s,
            .answer_timeout = 5s,
            .idle_time = 3s,
            .first_backoff = 50ms,
            .max_backoff = 10s};
}

// A program that hears a channel and follows a stream, on a loop in a world of its own.
struct program {
    explicit program(explorer &every, world::limits max, notifier_options const &options)
        : by(every), around(every, max), core(std::make_shared<notifier::core>(options)),
          turn(std::make_unique<loop>(*core, around)) {
        around.wanted = [this] { return hears || follows; };
    }
    // What was posted last and not taken holds who posted it, who holds the core.
    ~program() {
        std::vector<internal::command> left;
        core->collect(left);
    }

    void listen() {
        hears = std::make_shared<channel::state>(
            "c", [this](auto payload) { payload ? heard++ : missed++; }, [this](error const &) { told++; }, core);
        core->post([c = hears](loop &l) { l.add(c); });
    }
    void deafen() {
        core->post([c = hears](loop &l) { l.remove(c.get()); });
        hears.reset();
    }
    void follow(std::int64_t after = 0) {
        follows = std::make_shared<tail::core>("s", tail_options{.from = start::after(position(after))}, core);
        core->post([t = follows](loop &l) { l.add(t); });
    }
    void leave() {
        core->post([t = follows](loop &l) { l.remove(t.get()); });
        follows.reset();
    }
    std::int64_t read() {
        if (follows)
            for (frame const &f : follows->take(100, nullptr))
                at = std::max(at, f.id.value());
        return at;
    }

    // Until it is so; calm time has an end, too.
    template <class F> bool until_so(F so, std::chrono::seconds limit) {
        std::optional<until::clock::time_point> end;
        while (around.wrong.empty()) {
            if (around.calm() && around.script.empty()) {
                if (so())
                    return true;
                if (!end)
                    end = around.now() + limit;
                if (around.now() > *end)
                    return false;
            }
            turn->round();
        }
        return false;
    }

    // What is notified now is heard; or the program is told that it may have missed something.
    bool hears_the_next() {
        int const before = heard + missed;
        around.notify("c");
        return until_so([this, before] { return heard + missed > before; }, 60s);
    }

    explorer &by;
    world around;
    std::shared_ptr<notifier::core> core;
    std::unique_ptr<loop> turn;
    std::shared_ptr<channel::state> hears;
    std::shared_ptr<tail::core> follows;
    int heard = 0, missed = 0, told = 0;
    std::int64_t at = 0;
};

#define REQUIRE_SO(what)                                                                                               \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            INFO("run " << p.by.runs() << ": " << p.around.trace());                                                   \
            INFO(p.around.wrong);                                                                                      \
            REQUIRE(what);                                                                                             \
        }                                                                                                              \
    } while (false)

// A program for each order of events.
template <class F> void in_all_orders(world::limits max, F &&run, notifier_options const &options = few()) {
    explorer every;
    do {
        program p(every, max, options);
        run(p);
    } while (every.next());
    CHECK(every.runs() > 1000); // or it has not looked
}

bool open(program const &p) { return p.hears->wait(0s); }

// What the one who waits for it is told.
template <class F> std::string thrown(F &&wait) {
    try {
        wait();
    } catch (error const &e) {
        return e.sqlstate();
    }
    return {};
}

} // namespace

TEST_CASE("a channel is heard, whatever happened before", "[loop]") {
    in_all_orders({.events = 6, .mishaps = 2, .slips = 1}, [](program &p) {
        p.listen();
        bool const heard = p.until_so([&p] { return open(p); }, 60s);
        REQUIRE_SO(heard);
        bool const woken = p.hears_the_next();
        REQUIRE_SO(woken);
    });
}

TEST_CASE("a tail gets everything, whatever happened before", "[loop]") {
    for (bool const pooler : {false, true})
        in_all_orders({.events = 5, .mishaps = 1, .slips = 0, .pooler = pooler}, [](program &p) {
            p.follow();
            p.around.script.push_back({"append", [&p] { p.around.append(); }});
            p.around.script.push_back({"append", [&p] { p.around.append(); }});
            bool const all = p.until_so([&p] { return p.read() == 2; }, 60s);
            REQUIRE_SO(all);
        });
}

TEST_CASE("where it waits in the server, a stream that was dropped is waited for under its name", "[loop]") {
    in_all_orders({.events = 4, .mishaps = 1, .slips = 0, .pooler = true}, [](program &p) {
        p.follow();
        p.around.script.push_back({"append", [&p] { p.around.append(); }});
        p.around.script.push_back({"drop", [&p] { p.around.drop_stream(); }});
        auto const end = p.around.now() + 30s; // time goes on meanwhile
        bool const calm = p.until_so([&p, end] { return p.around.now() > end; }, 60s);
        REQUIRE_SO(calm);
        p.around.append();
        bool const found = p.until_so([&p] { return p.read() == 2; }, 5s);
        REQUIRE_SO(found);
        p.around.append();
        bool const more = p.until_so([&p] { return p.read() == 3; }, 5s);
        REQUIRE_SO(more);
    });
}

TEST_CASE("where it waits in the server, a tail behind the end of its stream is left to the slow poll", "[loop]") {
    auto options = few();
    options.slow_poll = 10s;
    in_all_orders(
        {.events = 5, .mishaps = 1, .slips = 0, .pooler = true},
        [](program &p) {
            p.around.close_stream();
            p.follow(1);
            auto const end = p.around.now() + 30s;
            bool const calm = p.until_so([&p, end] { return p.around.now() > end; }, 60s);
            REQUIRE_SO(calm);
            p.around.drop_stream();
            p.around.append();
            bool const found = p.until_so([&p] { return p.read() == 2; }, 11s);
            REQUIRE_SO(found);
        },
        options);
}

TEST_CASE("who comes and goes leaves the others what they want", "[loop]") {
    in_all_orders({.events = 5, .mishaps = 1, .slips = 0}, [](program &p) {
        p.follow();
        p.around.script.push_back({"listen", [&p] { p.listen(); }});
        p.around.script.push_back({"leave", [&p] { p.leave(); }});
        p.around.script.push_back({"deafen", [&p] { p.deafen(); }});
        p.around.script.push_back({"listen", [&p] { p.listen(); }});
        bool const heard = p.until_so([&p] { return p.hears && open(p); }, 60s);
        REQUIRE_SO(heard);
        bool const woken = p.hears_the_next();
        REQUIRE_SO(woken);
    });
}

TEST_CASE("connections that nobody needs are closed, and then it sleeps", "[loop]") {
    in_all_orders({.events = 6, .mishaps = 1, .slips = 0}, [](program &p) {
        p.follow();
        p.around.script.push_back({"leave", [&p] { p.leave(); }});
        bool const closed = p.until_so([&p] { return !p.follows && p.core->counts.connections == 0; }, 20s);
        REQUIRE_SO(closed);
    });
}

TEST_CASE("where nobody waits in the server, the connection is asked after", "[loop]") {
    in_all_orders({.events = 6, .mishaps = 0, .slips = 1, .pooler = true}, [](program &p) {
        p.listen();
        auto const end = p.around.now() + 60s;
        bool const calm = p.until_so([&p, end] { return p.around.now() > end; }, 120s);
        REQUIRE_SO(calm);
    });
}

TEST_CASE("a read that is cancelled is tried again, and if that is cancelled too, who waits is told", "[loop]") {
    int told = 0;
    in_all_orders({.events = 5, .mishaps = 2, .slips = 0, .failure = "57014"}, [&told](program &p) {
        p.follow();
        p.around.script.push_back({"append", [&p] { p.around.append(); }});
        std::string failed;
        bool const over = p.until_so(
            [&p, &failed] {
                failed = thrown([&p] { p.read(); });
                return !failed.empty() || p.at == 1;
            },
            60s);
        REQUIRE_SO(over);
        REQUIRE_SO((failed.empty() || (failed == "57014" && p.around.failed_reads() == 2)));
        told += !failed.empty();
    });
    CHECK(told > 0);
}

TEST_CASE("a read that a timeout of the role cuts short is told to who waits, also where it ends the session",
          "[loop]") {
    for (std::string const code : {"57014", "25P04"})
        in_all_orders({.events = 5,
                       .mishaps = 1,
                       .slips = 0,
                       .failure = code,
                       .fatal = code == "25P04",
                       .every_read_fails = true},
                      [&code](program &p) {
                          p.follow();
                          std::string failed;
                          bool const told = p.until_so(
                              [&p, &failed] {
                                  failed = thrown([&p] { p.read(); });
                                  return !failed.empty();
                              },
                              60s);
                          REQUIRE_SO(told);
                          REQUIRE_SO(failed == code);
                      });
}

TEST_CASE("what lasts is told to who waits, and what passes is not", "[loop]") {
    for (std::string const refusal : {"3D000", "28P01", "42501", "57P03", "53300", ""}) {
        bool const lasts = error({.from = error::source::connection, .sqlstate = refusal}).lasting();
        CHECK(lasts == (refusal == "3D000" || refusal == "28P01" || refusal == "42501"));
        in_all_orders({.events = 5, .mishaps = 2, .slips = 0, .refusal = refusal}, [&refusal, lasts](program &p) {
            p.listen();
            p.follow();
            p.around.script.push_back({"append", [&p] { p.around.append(); }});
            std::string failed;
            bool const over = p.until_so(
                [&p, &failed] {
                    failed = thrown([&p] { p.read(); });
                    return !failed.empty() || p.at == 1;
                },
                60s);
            REQUIRE_SO(over);
            REQUIRE_SO((failed.empty() ? p.at == 1 && p.told == 0 : lasts && failed == refusal));
            // The channel is tried on for, and heard in the end.
            bool const heard = p.until_so(
                [&p] {
                    bool yes = false;
                    thrown([&] { yes = open(p); });
                    return yes;
                },
                60s);
            REQUIRE_SO(heard);
            REQUIRE_SO((lasts || p.told == 0));
        });
    }
}
