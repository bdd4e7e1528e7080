// SPDX-License-Identifier: PostgreSQL
//
// Claim: a guard holds its lease for as long as it lives and the server can be reached; its holder
// learns that it is lost when it is, by the server's word or by the clock; nothing that it writes under its
// fence later becomes visible.
#include "proxy.hpp"
#include "support.hpp"

#include <atomic>
#include <csignal>
#include <spawn.h>
#include <sys/wait.h>

using namespace test;
using reason = weir::refusal::reason;

extern char **environ;

namespace {

// Waits for a stop.
bool told(std::stop_token const &lost, std::chrono::milliseconds limit = long_enough) {
    return eventually([&] { return lost.stop_requested(); }, limit);
}

std::string state_of(weir::connection &db, std::string const &name) {
    auto const i = weir::lease(db, name).info();
    return i ? i->state : "";
}

constexpr char holder_variable[] = "WEIR_TEST_HOLDER";

} // namespace

TEST_CASE("the calls of leases") {
    weir::connection db;
    weir::lease l(db, unique("lease"));
    auto const first = l.acquire("a", {.ttl = 1min, .headers = R"({"namespace": "client"})"}).value();
    REQUIRE(first.acquired);
    CHECK(first.held_by == "a");
    auto const other = l.acquire("b").value();
    CHECK(!other.acquired);
    CHECK(other.held_by == "a");
    CHECK(l.renew("a", first.epoch, 2min).value() > first.expires_at);
    CHECK(l.renew("a", first.epoch).value() > first.expires_at);
    CHECK(l.renew("b", first.epoch).error().why == reason::stale_lease);
    CHECK(l.check(first.epoch).value() > first.expires_at);
    CHECK(l.info()->owner == "a");
    CHECK(!l.revoke("ops", "no", first.epoch + 1).value());
    CHECK(l.revoke("ops", "drain").value());
    CHECK(l.renew("a", first.epoch).error().why == reason::lease_revoked);
    CHECK(l.info()->ended_by == "ops");
    auto const second = l.acquire("b", {.ttl = 1ms}).value();
    CHECK(second.epoch > first.epoch);
    REQUIRE(eventually([&] { return state_of(db, l.name()) == "expired"; }));
    CHECK(l.check(second.epoch).error().why == reason::lease_expired);
    // Whoever swept it, this call or the housekeeper before: its end is in the history.
    (void)weir::lease_sweep(db).value();
    CHECK(eventually([&] {
        return value(db, "SELECT count(*) FROM weir.read('leases', types => '{expired}', headers => '{\"lease\": \"" +
                             l.name() + "\"}')") == "1";
    }));
    auto const third = l.acquire("c").value();
    CHECK(l.release("c", third.epoch, "done").value());
    CHECK(!l.release("c", third.epoch).value());
    CHECK(l.check(third.epoch).error().why == reason::lease_not_held);
    CHECK(weir::lease(db, unique("none")).check(1).error().why == reason::lease_not_held);
    CHECK(!weir::leases(db).empty());
    CHECK_THROWS_AS(l.acquire("a", {.ttl = 0ms}), weir::error);
}

TEST_CASE("a guard renews, fences, and gives back") {
    weir::connection db;
    weir::lease_keeper keeper;
    std::string const name = unique("guard");
    weir::stream s(db, unique("guarded"));
    std::int64_t epoch = 0;
    {
        auto const g = keeper.acquire(name, {.ttl = 1500ms}).value();
        epoch = g.epoch();
        CHECK(g.held());
        CHECK(state_of(db, name) == "held");
        (void)s.append("1", g.fence(weir::append_options{.type = "t"})).value();
        (void)s.append_best_effort("2", g.fence()).value();
        CHECK(g.check(db));
        auto const refused = keeper.try_acquire(name);
        REQUIRE(!refused);
        CHECK(refused.error().why == reason::stale_lease);
        CHECK(refused.error().message.find(g.owner()) != std::string::npos);
        CHECK(keeper.acquire(name, {}, 300ms).error().why == reason::stale_lease);
        auto const begun = std::chrono::steady_clock::now();
        while (since(begun) < 4s) {
            REQUIRE(g.held());
            REQUIRE(g.left() > 0ms);
            std::this_thread::sleep_for(20ms);
        }
        CHECK(g.check(db));
        CHECK(weir::lease(db, name).info()->epoch == epoch);
    }
    CHECK(state_of(db, name) == "released");
    auto next = keeper.try_acquire(name).value();
    CHECK(next.epoch() > epoch);
    CHECK(s.append("3", {.lease = name, .epoch = epoch}).error().why == reason::stale_lease);
    CHECK(next.release("done").value());
    CHECK(!next.held());
    CHECK(!next.lost().stop_requested());
    CHECK(weir::lease(db, name).info()->reason == "done");
}

TEST_CASE("whoever waits for a lease gets it when it is free") {
    weir::connection db;
    weir::lease_keeper keeper, other;
    std::string const name = unique("awaited");
    std::optional<weir::lease_guard> first = keeper.acquire(name, {.ttl = 1min}).value();
    std::atomic<bool> got = false;
    std::jthread const waiter([&] {
        auto const g = other.acquire(name, {.ask_every = 20ms}, long_enough).value();
        got = g.held();
    });
    std::this_thread::sleep_for(100ms);
    CHECK(!got);
    first.reset();
    CHECK(eventually([&] { return got.load(); }));
    std::stop_source stop;
    stop.request_stop();
    auto const g = keeper.acquire(name, {}, long_enough).value();
    CHECK(!other.acquire(name, {}, 50ms));
}

TEST_CASE("a holder is told that its lease was revoked or taken") {
    weir::connection db;
    weir::lease_keeper keeper;
    std::string const name = unique("revoked");
    std::atomic<int> calls = 0;
    auto g = keeper.acquire(name, {.ttl = 3s, .on_lost = [&](auto const &) { calls++; }}).value();
    auto const other = keeper.acquire(unique("unconcerned"), {.ttl = 3s}).value();
    REQUIRE(weir::lease(db, name).revoke("ops", "drain").value());
    auto const begun = std::chrono::steady_clock::now();
    REQUIRE(told(g.lost()));
    CHECK(since(begun) < 2500ms); // a third of the ttl, and what a busy machine adds
    CHECK(eventually([&] { return calls == 1; }));
    CHECK(!g.held());
    CHECK(g.left() == 0ms);
    REQUIRE(g.why());
    CHECK(g.why()->why == reason::lease_revoked);
    CHECK(g.release().error().why == reason::lease_revoked);
    CHECK(other.held());

    // The same owner elsewhere.
    auto taken = keeper.acquire(name, {.owner = "one", .ttl = 3s}).value();
    (void)weir::lease(db, name).acquire("one").value();
    REQUIRE(told(taken.lost()));
    CHECK(taken.why()->why == reason::stale_lease);
    CHECK(state_of(db, name) == "held");
}

TEST_CASE("a holder that cannot reach the server is told before another may hold it", "[fault]") {
    proxy p;
    weir::connection db;
    weir::lease_keeper keeper({.connect = {.conninfo = p.conninfo()}});
    std::string const name = unique("unreachable");
    std::mutex lock;
    std::string why;
    auto g = keeper
                 .acquire(name, {.ttl = 2s,
                                 .on_lost =
                                     [&](weir::refusal const &r) {
                                         std::lock_guard const guard(lock);
                                         why = r.sqlstate();
                                     }})
                 .value();
    std::atomic<bool> overlap = false;
    std::jthread const successor([&] {
        weir::lease_keeper direct;
        auto const next = direct.acquire(name, {.ask_every = 5ms}, long_enough).value();
        overlap = g.held();
    });
    bool const frozen = GENERATE(true, false);
    auto const begun = std::chrono::steady_clock::now();
    if (frozen) {
        p.freeze();
    } else {
        p.refuse(true);
        p.cut();
    }
    REQUIRE(told(g.lost(), 10s));
    CHECK(since(begun) < 3s);
    CHECK(g.why()->why == reason::lease_expired);
    CHECK(eventually([&] {
        std::lock_guard const guard(lock);
        return why == "WR012";
    }));
    CHECK(eventually([&] { return weir::lease(db, name).info()->epoch > g.epoch(); }));
    CHECK(!overlap);
    p.thaw();
}

TEST_CASE("a connection that breaks now and then costs no lease", "[fault]") {
    proxy p;
    weir::lease_keeper keeper({.connect = {.conninfo = p.conninfo()}});
    auto const g = keeper.acquire(unique("cut"), {.ttl = 3s}).value();
    for (int i = 0; i < 10; i++) {
        p.cut();
        std::this_thread::sleep_for(500ms);
        REQUIRE(g.held());
    }
}

TEST_CASE("guards end with their keeper, and may end in their own callback") {
    std::optional<weir::lease_guard> left, self;
    std::string const name = unique("kept");
    {
        weir::lease_keeper keeper;
        left.emplace(keeper.acquire(name, {.ttl = 1min}).value());
    }
    CHECK(told(left->lost()));
    CHECK(!left->held());
    CHECK(left->why()->why == reason::lease_expired);
    left.reset();
    weir::connection db;
    weir::lease_keeper keeper;
    std::atomic<bool> gone = false;
    self.emplace(keeper
                     .acquire(name + "/self", {.ttl = 600ms,
                                               .on_lost =
                                                   [&](auto const &) {
                                                       self.reset();
                                                       gone = true;
                                                   }})
                     .value());
    (void)weir::lease(db, name + "/self").revoke("test").value();
    CHECK(eventually([&] { return gone.load(); }));
}

// Not a test of its own: the program that the next one starts and stops.
TEST_CASE("a holder that writes until it is refused", "[.][holder]") {
    char const *const variable = std::getenv(holder_variable);
    if (variable == nullptr)
        return;
    std::string const name = variable;
    weir::connection db;
    weir::stream s(db, name);
    weir::lease_keeper keeper;
    auto const g = keeper.acquire(name, {.ttl = 2s}, long_enough).value();
    for (;;) {
        auto const written = s.append("\"holder\"", g.fence(weir::append_options{}));
        if (!written) {
            CHECK(written.error().sqlstate() >= "WR010");
            break;
        }
    }
    CHECK(told(g.lost()));
    CHECK(!g.held());
}

TEST_CASE("a holder that was paused and wakes late writes nothing any more", "[fault]") {
    weir::connection db;
    std::string const name = unique("paused");
    weir::stream s(db, name);
    setenv(holder_variable, name.c_str(), 1);
    char program[] = "weir_client_test", test[] = "[holder]";
    char *arguments[] = {program, test, nullptr};
    pid_t holder = 0;
    REQUIRE(posix_spawn(&holder, "/proc/self/exe", nullptr, nullptr, arguments, environ) == 0);
    REQUIRE(eventually([&] { return s.head() > weir::position(); }));
    kill(holder, SIGSTOP);
    weir::lease_keeper keeper;
    auto const g = keeper.acquire(name, {.ttl = 1min}, long_enough).value();
    auto const mine = s.append("\"successor\"", g.fence(weir::append_options{})).value();
    kill(holder, SIGCONT);
    int status = -1;
    CHECK(waitpid(holder, &status, 0) == holder);
    CHECK(status == 0);
    CHECK(s.read({.after = mine}).value().empty());
    CHECK(g.held());
}

TEST_CASE("a lease outlives a restart of the server", "[fault][restart]") {
    weir::connection db;
    weir::lease_keeper keeper;
    auto g = keeper.acquire(unique("restarted"), {.ttl = 30s}).value();
    control("restart");
    CHECK(g.check(db));
    CHECK(g.held());
    CHECK(g.release().value());
}
