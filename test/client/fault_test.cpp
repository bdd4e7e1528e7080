// SPDX-License-Identifier: PostgreSQL
//
// Claim: whatever happens to the connection or the server, every tail delivers every
// committed frame once and in order afterwards; while there is no server, waits end
// when they were told to; a dead connection is noticed though nobody says so. No test
// here is helped by the slow poll, unless it says so.
#include "proxy.hpp"
#include "support.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>

using namespace test;

namespace {

weir::notifier_options rung_only(std::string conninfo = {}) {
    return {.conninfo = std::move(conninfo), .slow_poll = 1h, .max_backoff = 200ms};
}

// Appends 0, 1, 2, …, each exactly once, whatever happens meanwhile.
class steady_writer {
public:
    explicit steady_writer(std::string stream, std::string conninfo = {})
        : thread_([this, stream = std::move(stream), conninfo = std::move(conninfo)](std::stop_token stop) {
              weir::connection db(conninfo);
              weir::stream s(db, stream);
              while (!stop.stop_requested()) {
                  std::string const n = std::to_string(written_);
                  (void)s.append(n, {.idempotency_key = n}).value();
                  written_++;
              }
          }) {}
    int written() const { return written_; }
    int finish() {
        thread_.request_stop();
        thread_.join();
        return written_;
    }

private:
    std::atomic<int> written_ = 0;
    std::jthread thread_;
};

// 0, 1, 2, … up to n, each once.
void require_all(weir::tail &t, int n) {
    for (int i = 0; i < n; i++) {
        auto const f = t.next(long_enough);
        INFO("frame " << i << " of " << n << ", " << t.lag().frames << " in the buffer");
        REQUIRE(f);
        REQUIRE(*f->payload == std::to_string(i));
    }
    REQUIRE(!t.next(100ms));
}

// Of this test's notifier.
void terminate(weir::connection &db, std::string const &application) {
    db.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", {application});
}

} // namespace

TEST_CASE("the listener is terminated, and what is appended meanwhile arrives", "[fault]") {
    weir::connection db;
    auto options = rung_only();
    options.application_name = unique("victim");
    weir::notifier n(options);
    weir::stream s(db, unique("terminated"));
    weir::tail t(n, s.name());
    std::atomic<int> missed = 0;
    auto const c = n.listen(unique("missed"), [&missed](auto payload) { missed += !payload; });
    for (int round = 0; round < 10; round++) {
        REQUIRE(t.subscribed(long_enough));
        REQUIRE(c.listening(long_enough));
        terminate(db, options.application_name);
        auto const id = s.append(std::to_string(round)).value();
        auto const f = t.next(long_enough);
        REQUIRE(f);
        CHECK(f->id == id);
        // The loss is noticed at the latest with the next read of the socket.
        REQUIRE(eventually([&] { return n.counts().lost > static_cast<std::uint64_t>(round); }));
    }
    REQUIRE(eventually([&] { return missed >= 10; }));
}

TEST_CASE("a channel is heard again before anybody is told that something was missed", "[fault]") {
    proxy p;
    weir::notifier n(rung_only(p.conninfo()));
    weir::connection db;
    std::string const name = unique("missed");
    std::atomic<int> missed = 0, heard = 0;
    auto const c = n.listen(name, [&](auto payload) { payload ? heard++ : missed++; });
    REQUIRE(c.listening(long_enough));
    for (int round = 1; round <= 3; round++) {
        p.hold_request("LISTEN");
        p.cut();
        REQUIRE(eventually([&p] { return p.holds(); }));
        CHECK(missed == round - 1);
        CHECK(!c.listening(0s));
        p.release();
        REQUIRE(eventually([&] { return missed == round; }));
        db.query("SELECT weir.notify($1, 'here')", {name}); // heard, or this would hang
        REQUIRE(eventually([&] { return heard == round; }));
    }
}

TEST_CASE("the server is restarted", "[fault][restart]") {
    weir::notifier n(rung_only());
    std::string const name = unique("restarted");
    std::vector<weir::tail> tails;
    for (int i = 0; i < 10; i++)
        tails.emplace_back(n, name, weir::tail_options{.buffer_frames = 100'000, .buffer_bytes = 1 << 28});
    weir::notifier crowd(rung_only());
    std::vector<weir::tail> others;
    for (int i = 0; i < 100; i++)
        others.emplace_back(crowd, name + std::to_string(i));
    steady_writer w(name);
    for (char const *how : {"restart", "stop immediate", "restart"}) {
        int const before = w.written();
        REQUIRE(eventually([&] { return w.written() > before + 20; }));
        control(how);
        if (std::string(how).starts_with("stop"))
            control("start");
    }
    int const before = w.written();
    REQUIRE(eventually([&] { return w.written() > before + 20; }));
    int const n_frames = w.finish();
    for (auto &t : tails)
        require_all(t, n_frames);
    weir::connection db;
    for (auto &t : others) {
        REQUIRE(t.subscribed(long_enough));
        auto const id = weir::stream(db, t.stream()).append("1").value();
        auto const f = t.next(long_enough);
        REQUIRE(f);
        CHECK(f->id == id);
    }
}

TEST_CASE("the server is killed", "[fault][restart]") {
    weir::notifier n(rung_only());
    std::string const name = unique("killed");
    weir::tail t(n, name);
    steady_writer w(name);
    REQUIRE(eventually([&] { return w.written() > 50; }));
    control("kill9");
    std::this_thread::sleep_for(200ms);
    control("start");
    int const before = w.written();
    REQUIRE(eventually([&] { return w.written() > before + 50; }));
    require_all(t, w.finish());
}

TEST_CASE("while the server is down, waits end when they should", "[fault][restart]") {
    weir::notifier n(rung_only());
    weir::connection db;
    weir::stream s(db, unique("down"));
    (void)s.append("0").value();
    weir::tail before(n, s.name());
    REQUIRE(before.subscribed(long_enough));
    REQUIRE(before.next(long_enough));
    control("stop");
    auto begun = std::chrono::steady_clock::now();
    auto took = [&begun] {
        auto const now = std::chrono::steady_clock::now();
        return since(std::exchange(begun, now));
    };
    CHECK(!before.next(300ms));
    CHECK(took() < 2s);
    weir::tail during(n, s.name());
    CHECK(!during.subscribed(300ms));
    CHECK(took() < 2s);
    CHECK(!during.next(300ms));
    CHECK(took() < 2s);
    std::stop_source stop;
    stop.request_stop();
    CHECK(!during.next(stop.get_token()));
    db.call_timeout(300ms);
    try {
        (void)s.read();
        FAIL("it answered");
    } catch (weir::error const &e) {
        CHECK(e.timed_out());
        CHECK(e.retry_is_safe());
    }
    CHECK(took() < 2s);
    REQUIRE(eventually([&] { return n.status().how == weir::wakeup::none && !n.status().why.empty(); }));
    control("start");
    CHECK(during.next(long_enough));
    db.call_timeout(0ms);
    (void)s.append("1").value();
    CHECK(before.next(long_enough)->payload == "1");
    CHECK(during.next(long_enough)->payload == "1");
}

TEST_CASE("whoever lost the server comes back slower and slower", "[fault]") {
    proxy p;
    p.refuse(true);
    auto options = rung_only(p.conninfo());
    options.first_backoff = 50ms;
    options.max_backoff = 10s;
    weir::notifier n(options);
    std::vector<weir::tail> tails;
    for (int i = 0; i < 50; i++)
        tails.emplace_back(n, unique("refused"));
    std::this_thread::sleep_for(2s);
    CHECK(p.connections() >= 2);
    CHECK(p.connections() < 40);
}

TEST_CASE("a connection that went dead in silence is noticed", "[fault]") {
    proxy p;
    auto options = rung_only(p.conninfo());
    options.answer_timeout = options.connect_timeout = 500ms;
    weir::notifier n(options);
    weir::connection db;
    weir::stream s(db, unique("silent"));
    weir::tail t(n, s.name());
    REQUIRE(t.subscribed(long_enough));
    REQUIRE(eventually([&] { return n.counts().connections >= 1; }));
    p.freeze(); // as a cable that was pulled: nothing ends, nothing comes
    auto const lost = n.counts().lost;
    auto const id = s.append("1").value();
    CHECK(!t.next(100ms));
    REQUIRE(eventually([&] { return n.counts().lost > lost; }, 5s));
    REQUIRE(eventually([&] { return n.status().how == weir::wakeup::none; }, 5s));
    CHECK(n.status().why.find("time") != std::string::npos);
    p.thaw();
    auto const f = t.next(long_enough);
    REQUIRE(f);
    CHECK(f->id == id);
    REQUIRE(t.subscribed(long_enough));
    (void)s.append("2").value();
    CHECK(t.next(long_enough));
}

TEST_CASE("the network fails again and again, and nothing is lost or doubled", "[fault]") {
    proxy p;
    weir::notifier n(rung_only(p.conninfo()));
    std::string const name = unique("flaky");
    weir::tail t(n, name, {.buffer_frames = 50});
    steady_writer w(name, p.conninfo());
    REQUIRE(eventually([&w] { return w.written() > 0; })); // who connects for the first time is not helped
    // On a slow machine a connection may take longer than any fixed time between two cuts.
    std::jthread const saboteur([&p](std::stop_token stop) {
        for (auto pause = 40ms; !stop.stop_requested(); pause += 2ms) {
            std::this_thread::sleep_for(pause);
            p.cut();
        }
    });
    int seen = 0;
    auto const begun = std::chrono::steady_clock::now();
    auto const enough = [&] { return n.counts().lost > 10 && w.written() > 20; };
    while (since(begun) < 3s || (!enough() && since(begun) < long_enough)) {
        auto const f = t.next(100ms);
        if (f)
            REQUIRE(*f->payload == std::to_string(seen++));
    }
    CHECK(n.counts().lost > 10);
    int const written = w.finish();
    while (seen < written) {
        auto const f = t.next(long_enough);
        REQUIRE(f);
        REQUIRE(*f->payload == std::to_string(seen++));
    }
    CHECK(written > 20);
}

TEST_CASE("a pipeline whose connection is cut says of each append what is known", "[fault]") {
    proxy p;
    weir::connection db(p.conninfo());
    weir::stream s(db, unique("cut"));
    (void)s.append("0", {.idempotency_key = "0"}).value();
    int ok = 0, in_doubt = 0, safe = 0;
    auto count = [&](weir::append_outcome const &o) {
        ok += o.ok();
        if (auto const *e = std::get_if<weir::error>(&o.what)) {
            in_doubt += e->in_doubt();
            safe += e->retry_is_safe();
        }
    };
    weir::pipeline pipe(db, count, {.group = 4, .groups = 2});
    for (int i = 0; i < 4; i++)
        pipe.append(s.name(), weir::json("1"));
    p.swallow_answer_to(s.name());
    CHECK_THROWS_AS(
        [&] {
            for (int i = 0; i < 40; i++) {
                std::string const key = "k" + std::to_string(i);
                pipe.append(s.name(), weir::json("2"),
                            {.idempotency_key = i % 2 ? std::optional<std::string_view>(key) : std::nullopt});
            }
            pipe.finish();
        }(),
        weir::error);
    CHECK(in_doubt > 0);
    CHECK(safe > 0); // those with a key
    CHECK(safe < in_doubt);
    pipe.append(s.name(), weir::json("3")); // on a new connection
    pipe.finish();
    CHECK(ok > 0);
    // What is in doubt may still be committed behind it.
    auto const frames = s.read().value();
    CHECK(std::any_of(frames.begin(), frames.end(), [](auto const &f) { return f.payload == "3"; }));
}

namespace {

// What a call throws, within a time that is long enough for one clear answer.
template <class F> std::string refused(F &&wait) {
    try {
        wait();
    } catch (weir::error const &e) {
        CHECK(e.lasting());
        return e.sqlstate();
    }
    return "nothing";
}

// Everything that waits, on a connection that is refused so.
void require_told(std::string const &conninfo, std::string const &sqlstate) {
    INFO(conninfo);
    std::mutex lock;
    std::vector<weir::notifier_status> seen;
    auto options = rung_only(conninfo);
    options.on_change = [&](weir::notifier_status const &s) {
        std::lock_guard const guard(lock);
        seen.push_back(s);
    };
    std::atomic<int> ready = 0, told = 0;
    weir::notifier n(options);
    weir::tail t(n, "t", {.on_ready = [&ready] { ready++; }});
    weir::tail other(n, "u");
    auto const c = n.listen("c", [](auto) {}, [&](weir::error const &e) { told += e.sqlstate() == sqlstate; });
    CHECK(refused([&] { t.next(long_enough); }) == sqlstate);
    CHECK(t.state() == weir::tail_state::failed);
    CHECK(!t.next(0s)); // it is told once
    CHECK(refused([&] { other.subscribed(long_enough); }) == sqlstate);
    CHECK(refused([&] { c.listening(long_enough); }) == sqlstate);
    CHECK(eventually([&] { return ready > 0 && told == 1; }));
    CHECK(n.status().lasting);
    weir::pool p({.connect = {.conninfo = conninfo}});
    weir::subscriber s(n, p, "s", {.streams = {"t"}});
    CHECK(refused([&] { (void)s.next(long_enough); }) == sqlstate);
    weir::lease_keeper k({.connect = {.conninfo = conninfo}});
    CHECK(refused([&] { (void)k.acquire("l", {}, long_enough); }) == sqlstate);
    std::lock_guard const guard(lock);
    CHECK(std::any_of(seen.begin(), seen.end(), [](auto const &each) { return each.lasting; }));
}

} // namespace

TEST_CASE("who waits is told what lasts: no database, no role, no login, no privilege", "[fault]") {
    weir::connection db;
    std::string const name = "lasting_" + std::to_string(getpid());
    db.execute("CREATE ROLE " + name + "_nologin; CREATE ROLE " + name + " LOGIN");
    db.execute("CREATE DATABASE " + name);
    db.execute("REVOKE CONNECT ON DATABASE " + name + " FROM PUBLIC");
    require_told("dbname=nowhere", "3D000");
    require_told("user=nobody_of_that_name", "28000");
    require_told("user=" + name + "_nologin", "28000");
    require_told("user=" + name + " dbname=" + name, "42501");
    db.execute("DROP DATABASE " + name);
    db.execute("DROP ROLE " + name + "; DROP ROLE " + name + "_nologin");
}

TEST_CASE("what passes is waited for: a full server, a database that takes nobody", "[fault]") {
    weir::connection db;
    std::string const name = "passing_" + std::to_string(getpid());
    db.execute("CREATE ROLE " + name + " LOGIN CONNECTION LIMIT 0; SELECT weir.grant_access('" + name + "', 'read')");
    auto const id = weir::stream(db, name).append("1").value();
    weir::notifier n(rung_only("user=" + name));
    weir::tail t(n, name);
    auto const c = n.listen(name, [](auto) {});
    REQUIRE(eventually([&] { return n.status().why.find("too many connections") != std::string::npos; }));
    CHECK(!n.status().lasting);
    CHECK(!t.next(300ms));
    CHECK(t.state() == weir::tail_state::live);
    db.execute("ALTER ROLE " + name + " CONNECTION LIMIT -1");
    auto const f = t.next(long_enough);
    REQUIRE(f);
    CHECK(f->id == id);
    CHECK(c.listening(long_enough));
}

// Of the server's statements, a tail and a subscriber think alike.
TEST_CASE("who waits is told what the server refuses of statements, and not what passes", "[fault]") {
    auto const thrown = [](auto &&wait) -> std::string {
        try {
            wait();
        } catch (weir::error const &e) {
            return e.sqlstate();
        }
        return "nothing";
    };
    weir::connection db;
    std::string const name = "refused_" + std::to_string(getpid());
    weir::stream to(db, name);
    auto const first = to.append("1").value();
    db.execute("CREATE ROLE " + name + " LOGIN");
    auto const notifier = rung_only("user=" + name);
    weir::pool_options const pool{.connect = {.conninfo = "user=" + name}};
    auto const both_throw = [&](std::string const &sqlstate) {
        weir::notifier n(notifier);
        weir::pool p(pool);
        weir::tail t(n, name);
        weir::subscriber s(n, p, name, {.streams = {name}});
        CHECK(thrown([&] { t.next(long_enough); }) == sqlstate);
        CHECK(t.state() == weir::tail_state::failed);
        CHECK(thrown([&] { (void)s.next(long_enough); }) == sqlstate);
    };
    both_throw("42501"); // may not use weir
    db.execute("SELECT weir.grant_access('" + name + "', 'read')");
    {
        weir::connection other;
        weir::transaction locked(other);
        other.execute("LOCK TABLE weir.frame_log");
        db.execute("ALTER ROLE " + name + " SET statement_timeout = '50ms'");
        both_throw("57014"); // again and again
        db.execute("ALTER ROLE " + name + " RESET statement_timeout");
        // Once, by somebody else.
        weir::notifier n(notifier);
        weir::pool p(pool);
        weir::tail t(n, name);
        weir::subscriber s(n, p, name, {.streams = {name}, .subscribe = {.from = weir::start::beginning()}});
        auto next = std::async(std::launch::async, [&] { return s.next(long_enough).value(); });
        std::string const waiting =
            " FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = '" + name + "'";
        REQUIRE(eventually([&] { return value(db, "SELECT count(*)" + waiting) == "2"; }));
        CHECK(value(db, "SELECT count(*) FROM (SELECT pg_cancel_backend(pid)" + waiting + ") c") == "2");
        REQUIRE(eventually([&] { return value(db, "SELECT count(*)" + waiting) == "2"; }));
        locked.rollback();
        auto const f = t.next(long_enough);
        REQUIRE(f);
        CHECK(f->id == first);
        auto const e = next.get();
        REQUIRE(e);
        CHECK(e->frame.id == first);
    }
    weir::connection as_reader("user=" + name);
    REQUIRE(weir::subscription(as_reader, name).unsubscribe());
    db.execute("DROP OWNED BY " + name + "; DROP ROLE " + name);
}

TEST_CASE("a channel is heard once a refusal is taken back", "[fault]") {
    weir::connection db;
    std::string const name = "again_" + std::to_string(getpid());
    weir::notifier n(rung_only("user=" + name));
    std::atomic<int> heard = 0;
    auto const c = n.listen(name, [&heard](auto payload) { heard += payload.has_value(); });
    CHECK(refused([&] { c.listening(long_enough); }) == "28000");
    db.execute("CREATE ROLE " + name + " LOGIN");
    REQUIRE(eventually([&] {
        try {
            return c.listening(1s);
        } catch (weir::error const &) {
            return false;
        }
    }));
    db.query("SELECT weir.notify($1, 'x')", {name});
    CHECK(eventually([&] { return heard == 1; }));
    CHECK(!n.status().lasting);
}
