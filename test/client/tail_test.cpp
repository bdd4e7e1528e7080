// SPDX-License-Identifier: PostgreSQL
//
// Claim: a tail gives every frame once and in order; it is woken, not polled; parked
// it holds nothing; a slow consumer costs a bounded buffer; what was subscribed to is
// given back.
#include "notifier/loop.hpp"
#include "proxy.hpp"
#include "support.hpp"

#include <atomic>
#include <fstream>
#include <set>

using namespace test;

namespace {

// So slow a poll that whatever arrives was woken for.
weir::notifier_options rung_only() { return {.slow_poll = 1h}; }

std::vector<weir::frame> take(weir::tail &t, std::size_t n) {
    std::vector<weir::frame> frames;
    while (frames.size() < n) {
        auto more = t.next_batch(long_enough, n - frames.size());
        if (more.empty())
            break;
        std::move(more.begin(), more.end(), std::back_inserter(frames));
    }
    return frames;
}

std::size_t threads() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("Threads:"))
            return std::stoul(line.substr(8));
    return 0;
}

} // namespace

TEST_CASE("a tail gives what is there, then what comes, then the end") {
    weir::connection db;
    weir::stream s(db, unique("tail"));
    std::vector<weir::position> ids;
    for (int i = 0; i < 5; i++)
        ids.push_back(s.append(std::to_string(i)).value());
    weir::notifier n(rung_only());
    weir::tail t(n, s.name());
    for (int i = 0; i < 5; i++)
        CHECK(t.next(long_enough)->id == ids[static_cast<std::size_t>(i)]);
    CHECK(t.cursor() == ids.back());
    REQUIRE(t.subscribed(long_enough));
    CHECK(n.status().how == weir::wakeup::channels);
    CHECK(!t.next(50ms)); // nothing there
    CHECK(t.take().empty());
    auto const sixth = s.append("5").value();
    CHECK(t.next(long_enough)->id == sixth);
    (void)s.append_best_effort("6").value();
    CHECK(t.next(long_enough)->mode == weir::frame_mode::best_effort);
    s.close("over");
    CHECK(t.state() == weir::tail_state::live);
    auto const end = t.next(long_enough);
    REQUIRE(end);
    CHECK(end->mode == weir::frame_mode::close);
    CHECK(end->payload == R"({"reason": "over"})");
    CHECK(t.state() == weir::tail_state::closed);
    CHECK(!t.next()); // at once, though there is no limit
    CHECK(n.counts().polls == 0);
}

TEST_CASE("a tail waits for a stream that is not there yet, and goes on after a cursor") {
    weir::connection db;
    weir::stream s(db, unique("later"));
    weir::notifier n(rung_only());
    weir::tail t(n, s.name());
    REQUIRE(t.subscribed(long_enough));
    auto const first = s.append("1").value();
    auto const second = s.append("2").value();
    CHECK(take(t, 2).size() == 2);
    weir::tail resumed(n, s.name(), {.from = weir::start::after(first)});
    CHECK(resumed.next(long_enough)->id == second);
}

TEST_CASE("from now on, and since a time") {
    weir::connection db;
    weir::stream s(db, unique("start"));
    auto const old = s.append("1").value();
    weir::notifier n(rung_only());
    weir::tail now(n, s.name(), {.from = weir::start::now()});
    REQUIRE(now.subscribed(long_enough));
    CHECK(now.cursor() == old);
    weir::tail since(n, s.name(), {.from = weir::start::since(old.time())});
    weir::tail later(n, s.name(), {.from = weir::start::since(old.time() + 1h)});
    REQUIRE(later.subscribed(long_enough));
    auto const fresh = s.append("2").value();
    CHECK(now.next(long_enough)->id == fresh);
    CHECK(since.next(long_enough)->id == old);
    CHECK(since.next(long_enough)->id == fresh);
    CHECK(later.next(long_enough)->id == fresh);
}

TEST_CASE("a stop ends the wait, and a time that is over does") {
    weir::notifier n;
    weir::tail t(n, unique("stop"));
    std::stop_source stop;
    std::jthread const soon([&stop] {
        std::this_thread::sleep_for(50ms);
        stop.request_stop();
    });
    auto const begun = std::chrono::steady_clock::now();
    CHECK(!t.next(stop.get_token()));
    CHECK(!t.next({30s, stop.get_token()}));
    CHECK(!t.next(50ms));
    CHECK(since(begun) < 5s);
    CHECK(t.state() == weir::tail_state::live);
}

TEST_CASE("a frame that a later one overtook is delivered before it") {
    weir::connection db, other;
    weir::stream s(db, unique("order")), held(other, s.name());
    weir::notifier n(rung_only());
    weir::tail t(n, s.name());
    REQUIRE(t.subscribed(long_enough));
    std::vector<weir::position> ids;
    {
        weir::transaction tx(other);
        ids.push_back(held.append("1").value());
        ids.push_back(s.append("2").value()); // committed, and not settled
        CHECK(!t.next(100ms));
        tx.commit();
    }
    for (auto const id : ids)
        CHECK(t.next(long_enough)->id == id);
    {
        weir::transaction tx(other);
        (void)held.append("3").value();
        ids.push_back(s.append("4").value());
        CHECK(!t.next(100ms));
        tx.rollback(); // rings as well
    }
    CHECK(t.next(long_enough)->id == ids.back());
}

TEST_CASE("filters are the server's, and the cursor passes what they drop") {
    weir::connection db;
    weir::stream s(db, unique("filter"));
    for (int i = 0; i < 20; i++)
        (void)s
            .append(std::to_string(i), {.type = i == 7 ? "wanted" : "other", .headers = i == 9 ? R"({"h": 1})" : "{}"})
            .value();
    (void)s.append_best_effort("\"x\"", {.type = "wanted"}).value();
    weir::notifier n(rung_only());
    weir::tail types(n, s.name(), {.types = {"wanted"}});
    weir::tail durable(n, s.name(), {.best_effort = false, .types = {"wanted"}});
    weir::tail headers(n, s.name(), {.headers = R"({"h": 1})"});
    CHECK(types.next(long_enough)->payload == "7");
    CHECK(types.next(long_enough)->payload == "\"x\"");
    CHECK(durable.next(long_enough)->payload == "7");
    CHECK(headers.next(long_enough)->payload == "9");
    CHECK(eventually([&] { return headers.cursor() == s.head(); }));
    auto const last = s.append("20", {.type = "other"}).value();
    CHECK(eventually([&] { return types.cursor() == last; }));
    CHECK(!types.next(0s));
    s.close();
    CHECK(types.next(long_enough)->mode == weir::frame_mode::close);
    CHECK(durable.next(long_enough)->mode == weir::frame_mode::close);
    CHECK(headers.next(long_enough)->mode == weir::frame_mode::close);
}

TEST_CASE("a slow consumer costs a bounded buffer, sees its lag, and loses nothing") {
    weir::connection db;
    weir::stream s(db, unique("slow"));
    weir::notifier n(rung_only());
    weir::tail t(n, s.name(), {.buffer_frames = 100, .buffer_bytes = 64 << 10});
    REQUIRE(t.subscribed(long_enough));
    std::string const kilobyte = '"' + std::string(1000, 'x') + '"';
    std::vector<std::string_view> const hundred(100, kilobyte);
    std::vector<weir::position> ids;
    weir::position newest;
    for (int i = 0; i < 20; i++)
        newest = s.append_batch(hundred).value().last_id;
    REQUIRE(eventually([&] { return t.lag().full && t.lag().newest >= newest; }));
    auto const lag = t.lag();
    CHECK(lag.frames <= 100);
    CHECK(lag.frames >= 10);
    CHECK(lag.bytes <= 64 << 10);
    CHECK(lag.newest == newest);
    auto const delivered = n.counts().frames;
    CHECK(delivered == lag.frames); // and nothing kept anywhere else
    std::set<weir::position> seen;
    weir::position before;
    while (seen.size() < 2000) {
        auto const f = t.next(long_enough);
        REQUIRE(f);
        REQUIRE(f->id > before);
        before = f->id;
        seen.insert(f->id);
        REQUIRE(t.lag().bytes <= 64 << 10);
    }
    CHECK(before == newest);
    CHECK(t.cursor() == newest);
    CHECK(!t.lag().full);
    CHECK(t.lag().behind == 0ms);
    // One frame always fits.
    weir::tail tiny(n, s.name(), {.buffer_frames = 1, .buffer_bytes = 1});
    CHECK(take(tiny, 50).size() == 50);
}

TEST_CASE("frames of a megabyte do not add up either") {
    weir::connection db;
    weir::stream s(db, unique("large"));
    std::vector<std::byte> const megabyte(1'000'000, std::byte{7});
    for (int i = 0; i < 30; i++)
        (void)s.append_bytes(megabyte).value();
    weir::notifier n(rung_only());
    weir::tail t(n, s.name());
    REQUIRE(eventually([&] { return t.lag().full; }));
    CHECK(t.lag().frames <= 2);
    auto const frames = take(t, 30);
    REQUIRE(frames.size() == 30);
    CHECK(frames[29].bytes == megabyte);
}

TEST_CASE("tails of one stream are independent of each other") {
    weir::connection db;
    weir::stream s(db, unique("fan-out"));
    weir::notifier n(rung_only());
    std::vector<weir::tail> tails;
    for (int i = 0; i < 20; i++)
        tails.emplace_back(n, s.name());
    weir::tail slow(n, s.name(), {.buffer_frames = 2});
    for (auto const &t : tails)
        REQUIRE(t.subscribed(long_enough));
    CHECK(n.counts().channels == 1);
    auto const reads_before = n.counts().reads;
    for (int i = 0; i < 50; i++)
        (void)s.append(std::to_string(i)).value();
    for (auto &t : tails)
        CHECK(take(t, 50).size() == 50);
    CHECK(n.counts().reads - reads_before < 20 * 50 / 4); // they shared
    CHECK(take(slow, 50).size() == 50);
}

TEST_CASE("many tails: no thread and no connection each, and one channel for all") {
    weir::connection db;
    std::string const prefix = unique("crowd") + "/";
    weir::notifier n(rung_only());
    std::size_t const threads_before = threads();
    std::atomic<int> ready = 0;
    std::vector<weir::tail> tails;
    for (int i = 0; i < 300; i++)
        tails.emplace_back(n, prefix + std::to_string(i), weir::tail_options{.on_ready = [&ready] { ready++; }});
    for (auto const &t : tails)
        REQUIRE(t.subscribed(long_enough));
    CHECK(threads() == threads_before);
    CHECK(n.status().how == weir::wakeup::database);
    REQUIRE(eventually([&] { return n.counts().channels == 1; }));
    CHECK(n.counts().connections <= 5);
    weir::batch batch;
    for (int i = 0; i < 300; i++)
        batch.append(prefix + std::to_string(i), weir::json(std::to_string(i)));
    auto const ids = batch.send(db).value();
    for (std::size_t i = 0; i < 300; i++)
        REQUIRE(tails[i].next(long_enough)->id == ids[i]);
    CHECK(eventually([&ready] { return ready == 300; }));
    CHECK(n.counts().polls == 0);
    // Back to a channel each.
    tails.erase(tails.begin() + 20, tails.end());
    REQUIRE(eventually([&] { return n.status().how == weir::wakeup::channels && n.counts().channels == 20; }));
    auto const fresh = weir::stream(db, prefix + "7").append("1").value();
    CHECK(tails[7].next(long_enough)->id == fresh);
    CHECK(n.counts().polls == 0);
}

TEST_CASE("a name too long for a channel is heard of all the same") {
    weir::connection db;
    weir::notifier n(rung_only());
    for (std::string const &name : {unique(std::string(40, 'a')) + std::string(20, 'a'), unique(std::string(200, 'b')),
                                    unique("\"'; --"), unique("caf\u00e9 \U0001f600 " + std::string(80, 'c'))}) {
        weir::tail t(n, name);
        REQUIRE(t.subscribed(long_enough));
        auto const id = weir::stream(db, name).append("1").value();
        CHECK(t.next(long_enough)->id == id);
    }
    CHECK(n.counts().polls == 0);
}

TEST_CASE("whoever subscribes last may rely on it as the first did") {
    weir::connection db;
    weir::notifier n(rung_only());
    for (int round = 0; round < 50; round++) {
        weir::stream s(db, unique("race"));
        weir::tail first(n, s.name()), second(n, s.name(), {.from = weir::start::now()});
        REQUIRE(second.subscribed(long_enough));
        auto const id = s.append("1").value();
        auto const f = second.next(long_enough);
        REQUIRE(f);
        CHECK(f->id == id);
    }
    CHECK(n.counts().polls == 0);
}

TEST_CASE("what is appended between the first read and LISTEN is not lost") {
    proxy p;
    auto options = rung_only();
    options.conninfo = p.conninfo();
    weir::notifier n(options);
    weir::connection db;
    weir::stream s(db, unique("gap"));
    p.hold_request("LISTEN");
    weir::tail t(n, s.name());
    REQUIRE(eventually([&] { return p.holds() && n.counts().reads == 1; }));
    CHECK(!t.next(50ms));
    CHECK(!t.subscribed(0s));
    auto const id = s.append("1").value();
    CHECK(!t.next(50ms)); // nobody heard it
    p.release();
    REQUIRE(t.subscribed(long_enough));
    auto const f = t.next(long_enough);
    REQUIRE(f);
    CHECK(f->id == id);
}

TEST_CASE("nor what is appended before the channel for all streams is in force") {
    proxy p;
    auto options = rung_only();
    options.conninfo = p.conninfo();
    options.max_channels = 2;
    weir::notifier n(options);
    weir::connection db;
    std::string const prefix = unique("wide") + "/";
    p.hold_request("LISTEN \"weir\"");
    std::vector<weir::tail> tails;
    for (int i = 0; i < 3; i++)
        tails.emplace_back(n, prefix + std::to_string(i));
    REQUIRE(eventually([&] { return p.holds() && n.counts().reads >= 1; }));
    CHECK(!tails[2].next(50ms));
    CHECK(!tails[2].subscribed(0s));
    auto const id = weir::stream(db, tails[2].stream()).append("1").value();
    CHECK(!tails[2].next(50ms)); // nobody heard it
    p.release();
    REQUIRE(tails[2].subscribed(long_enough));
    auto const f = tails[2].next(long_enough);
    REQUIRE(f);
    CHECK(f->id == id);
    CHECK(n.status().how == weir::wakeup::database);
}

TEST_CASE("what rings while the tail is being read is not lost") {
    proxy p;
    auto options = rung_only();
    options.conninfo = p.conninfo();
    weir::notifier n(options);
    weir::connection db;
    weir::stream s(db, unique("again"));
    weir::tail t(n, s.name());
    REQUIRE(t.subscribed(long_enough));
    CHECK(!t.next(50ms));
    p.hold_answer_to("weir_read_many");
    n.wake_all();
    REQUIRE(eventually([&p] { return p.holds(); })); // read, and nothing found
    auto const heard = n.counts().notifications;
    auto const id = s.append("1").value();
    REQUIRE(eventually([&] { return n.counts().notifications > heard; }));
    p.release();
    auto const f = t.next(long_enough);
    REQUIRE(f);
    CHECK(f->id == id);
}

TEST_CASE("ten thousand rounds of subscribing leave no channel and no memory") {
    weir::connection db;
    weir::notifier n(rung_only());
    std::string const name = unique("churn");
    for (int i = 0; i < 10'000; i++) {
        weir::tail t(n, name + std::to_string(i % 100));
        if (i % 100 == 0)
            REQUIRE(t.subscribed(long_enough));
    }
    REQUIRE(eventually([&] { return n.counts().tails == 0 && n.counts().channels == 0; }));
    std::atomic<std::size_t> kept = 1;
    REQUIRE(eventually([&] {
        n.internals()->post([&kept](weir::internal::loop &l) { kept = l.kept(); });
        return kept == 0;
    }));
    // The server has been told, too.
    auto const heard = n.counts().notifications;
    for (int i = 0; i < 100; i++)
        db.query("SELECT pg_notify(weir.channel($1), '')", {name + std::to_string(i)});
    weir::tail t(n, unique("after"));
    REQUIRE(t.subscribed(long_enough));
    (void)weir::stream(db, t.stream()).append("1").value();
    REQUIRE(t.next(long_enough));
    CHECK(n.counts().notifications <= heard + 2);
}

TEST_CASE("channels of one's own") {
    weir::connection db;
    weir::notifier n(rung_only());
    std::string const name = unique("My \"channel\"");
    std::mutex lock;
    std::vector<std::string> payloads;
    {
        auto const c = n.listen(name, [&](std::optional<std::string_view> p) {
            std::lock_guard const guard(lock);
            payloads.emplace_back(p.value_or("(missed)"));
        });
        auto const d = n.listen(name, [](auto) {});
        REQUIRE(c.listening(long_enough));
        REQUIRE(d.listening(long_enough));
        db.query("SELECT weir.notify($1, 'one')", {name});
        db.query("SELECT pg_notify($1, 'two')", {name});
        REQUIRE(eventually([&] {
            std::lock_guard const guard(lock);
            return payloads.size() == 2;
        }));
        CHECK(std::set<std::string>(payloads.begin(), payloads.end()) == std::set<std::string>{"one", "two"});
    }
    REQUIRE(eventually([&] { return n.counts().channels == 0; }));
}

TEST_CASE("what the matter says ends a tail, what the server refuses is thrown once") {
    weir::connection db;
    weir::stream s(db, unique("ahead"));
    (void)s.append("1").value();
    weir::notifier n;
    weir::tail good(n, s.name());
    weir::tail ahead(n, s.name(), {.from = weir::start::after(weir::position::greatest())});
    CHECK(!ahead.next(long_enough));
    CHECK(ahead.state() == weir::tail_state::cursor_ahead);
    REQUIRE(ahead.why());
    CHECK(ahead.why()->sqlstate() == "WR003");
    weir::tail bad(n, std::string(1000, 'x'));
    CHECK_THROWS_AS(bad.next(long_enough), weir::error);
    CHECK(bad.state() == weir::tail_state::failed);
    CHECK(!bad.next());
    CHECK(good.next(long_enough)); // read in the same statement
    db.execute("CREATE ROLE weir_nobody LOGIN");
    {
        weir::notifier stranger({.conninfo = "user=weir_nobody"});
        weir::tail refused(stranger, s.name());
        try {
            (void)refused.next(long_enough);
            FAIL("no error");
        } catch (weir::error const &e) {
            CHECK(e.sqlstate() == "42501");
        }
    }
    db.execute("DROP ROLE weir_nobody");
}

TEST_CASE("a tail may outlive its notifier, and end within its own callback") {
    std::optional<weir::tail> left;
    std::jthread waiter;
    {
        weir::notifier n;
        left.emplace(n, unique("orphan"));
        waiter = std::jthread([&left] { CHECK(!left->next()); });
        std::this_thread::sleep_for(50ms);
    }
    waiter.join();
    CHECK(left->state() == weir::tail_state::detached);
    CHECK(!left->next());
    weir::connection db;
    weir::stream s(db, unique("self"));
    weir::notifier n;
    std::optional<weir::tail> self;
    std::atomic<bool> gone = false;
    self.emplace(n, s.name(), weir::tail_options{.on_ready = [&] {
                     if (!gone.exchange(true))
                         self.reset();
                 }});
    (void)s.append("1").value();
    CHECK(eventually([&] { return gone && n.counts().tails == 0; }));
}

TEST_CASE("connections that nobody needs are closed") {
    weir::connection db;
    weir::notifier n({.slow_poll = 1h, .idle_time = 200ms});
    weir::stream s(db, unique("parked"));
    {
        weir::tail t(n, s.name());
        REQUIRE(t.subscribed(long_enough));
        CHECK(eventually([&] { return n.counts().connections == 1; })); // the one that listens
        (void)s.append("1").value();
        CHECK(t.next(long_enough));
        CHECK(eventually([&] { return n.counts().connections == 1; }));
    }
    CHECK(eventually([&] { return n.counts().connections == 0; }));
    CHECK(eventually([&] { return n.status().how == weir::wakeup::none; })); // said a moment later
    weir::tail again(n, s.name());
    CHECK(again.next(long_enough));
}

TEST_CASE("the slow poll finds what nobody rang for") {
    weir::connection db;
    weir::stream s(db, unique("prepared"));
    weir::notifier n({.slow_poll = 200ms});
    weir::tail t(n, s.name());
    REQUIRE(t.subscribed(long_enough));
    db.execute("BEGIN");
    (void)s.append("1").value();
    db.execute("PREPARE TRANSACTION 'client'");
    CHECK(!t.next(50ms));
    db.execute("COMMIT PREPARED 'client'");
    CHECK(t.next(long_enough));
    CHECK(n.counts().polls > 0);
}
