// SPDX-License-Identifier: PostgreSQL
//
// Claim: a subscriber gives every event, in order, from where its subscription stands; it is woken,
// not polled; what was not acknowledged comes again; what a handler writes happens exactly once,
// whatever happens to its connection, to the server, or beside it in another worker.
#include "proxy.hpp"
#include "support.hpp"

#include <atomic>
#include <set>

using namespace test;

namespace {

// So slow a poll that whatever arrives was woken for.
weir::notifier_options rung_only() { return {.slow_poll = 1h, .max_backoff = 200ms}; }

void emit(weir::connection &db, std::string const &stream, int n) {
    (void)weir::emit(db, {.stream = stream, .payload = weir::json(std::to_string(n)), .type = "n"}).value();
}

std::vector<std::string> payloads(std::vector<weir::event> const &events) {
    std::vector<std::string> all;
    for (auto const &e : events)
        all.push_back(e.frame.payload.value_or(""));
    return all;
}

// From here on it is subscribed.
void begin(weir::subscriber &s) {
    REQUIRE(eventually([&] {
        CHECK(!*s.next(50ms));
        return s.info(long_enough).has_value();
    }));
}

using texts = std::vector<std::string>;

// Emits 0, 1, 2, …, each exactly once, whatever happens meanwhile: the row tells whether it did.
class steady_emitter {
public:
    explicit steady_emitter(std::string stream)
        : thread_([this, stream = std::move(stream)](std::stop_token stop) {
              weir::connection db;
              while (!stop.stop_requested()) {
                  std::string const n = std::to_string(emitted_);
                  try {
                      weir::transaction tx(db);
                      if (db.query("INSERT INTO emitted VALUES ($1, $2::int) ON CONFLICT DO NOTHING", {stream, n})
                              .affected() == 1)
                          emit(db, stream, emitted_);
                      tx.commit();
                      emitted_++;
                  } catch (weir::error const &e) {
                      if (!e.transient())
                          throw;
                      std::this_thread::sleep_for(10ms);
                  }
              }
          }) {}
    int emitted() const { return emitted_; }
    int finish() {
        thread_.request_stop();
        thread_.join();
        return emitted_;
    }

private:
    std::atomic<int> emitted_ = 0;
    std::jthread thread_;
};

// Writes down what it gets; no unique key, so that what is handled twice is seen.
void write_down(weir::connection &db, std::span<weir::event const> events) {
    for (auto const &e : events)
        db.query("INSERT INTO handled VALUES ($1, $2::int)", {e.stream, e.frame.payload.value()});
}

void make_tables(weir::connection &db) {
    db.execute("CREATE TABLE IF NOT EXISTS handled (stream text, n int, at bigserial);"
               "CREATE TABLE IF NOT EXISTS emitted (stream text, n int, PRIMARY KEY (stream, n))");
}

std::string handled(weir::connection &db, std::string const &stream) {
    auto const r = db.query("SELECT count(*) || ' ' || count(DISTINCT n) FROM handled WHERE stream = $1", {stream});
    return std::string(r.at(0, 0).value());
}

std::string times(int n) { return std::to_string(n) + " " + std::to_string(n); }

} // namespace

TEST_CASE("events are JSON, text and bytes, in one order", "[subscription]") {
    weir::connection db;
    weir::stream s(db, unique("forms"));
    std::string_view const raw("a\0b", 3);
    weir::new_event const all[] = {{.stream = s.name(), .payload = weir::json("1"), .type = "n"},
                                   {.stream = s.name(), .payload = weir::json("2")},
                                   {.stream = s.name(), .payload = weir::text("no \"JSON\""), .type = "t"},
                                   {.stream = s.name(), .payload = weir::bytes(std::as_bytes(std::span(raw)))},
                                   {.stream = s.name(), .type = "e"}};
    (void)weir::emit(db, all).value();
    (void)weir::emit(db, {.stream = s.name(), .payload = weir::text("x")}).value();
    (void)weir::emit(db, std::span<weir::new_event const>()).value();
    auto const frames = s.read().value();
    REQUIRE(frames.size() == 6);
    CHECK(frames[0].payload == "1");
    CHECK(frames[0].type == "n");
    CHECK(!frames[1].type);
    CHECK(frames[2].text() == "no \"JSON\"");
    CHECK(frames[3].bytes->size() == 3);
    CHECK(frames[4].payload == "{}");
    CHECK(frames[5].text() == "x");
    // All or none.
    weir::new_event const wrong[] = {{.stream = s.name(), .payload = weir::text("y")},
                                     {.stream = s.name(), .payload = weir::json("no JSON")}};
    CHECK_THROWS(weir::emit(db, wrong));
    CHECK(s.read().value().size() == 6);
}

TEST_CASE("events are there when their transaction has committed, and go with it") {
    weir::connection db;
    std::string const stream = unique("stream");
    weir::subscription s(db, unique("calls"));
    REQUIRE(s.subscribe(stream, {.types = {"paid"}, .headers = R"({"region": "eu"})"}).value());
    CHECK(!s.subscribe(stream, {.types = {"paid"}, .headers = R"({"region": "eu"})"}).value());
    CHECK(s.subscribe(stream).error().why == weir::refusal::reason::already_exists);
    {
        weir::transaction tx(db);
        (void)weir::emit(
            db, {.stream = stream, .payload = weir::json("1"), .type = "paid", .headers = R"({"region": "eu"})"})
            .value();
    }
    weir::new_event const several[] = {
        {.stream = stream, .payload = weir::json("2"), .type = "paid", .headers = R"({"region": "eu"})"},
        {.stream = stream, .payload = weir::json("3"), .type = "paid"},
        {.stream = stream, .payload = weir::json("4"), .type = "sent", .headers = R"({"region": "eu"})"},
        {.stream = stream, .payload = weir::json("5"), .type = "paid", .headers = R"({"region": "eu", "vip": true})"}};
    {
        weir::transaction tx(db);
        (void)weir::emit(db, several).value();
        CHECK(s.fetch().value().empty());
        tx.commit();
    }
    auto const events = s.fetch().value();
    CHECK(payloads(events) == texts{"2", "5"});
    CHECK(events.front().stream == stream);
    CHECK(events.front().frame.type == "paid");
    CHECK(s.info()->lag_frames() == 4);
    CHECK(s.info()->streams == texts{stream});
    CHECK(s.info()->types == texts{"paid"});
    CHECK(payloads(s.fetch(1).value()) == texts{"2"});
    CHECK(s.ack(std::span(events).first(1)).value() == 1);
    CHECK(s.ack(std::span(events).first(1)).value() == 0);
    CHECK(payloads(s.fetch().value()) == texts{"5"});
    CHECK(s.ack(stream, weir::position::greatest()).error().why == weir::refusal::reason::cursor_ahead);
    (void)s.seek(weir::start::beginning()).value();
    CHECK(payloads(s.fetch().value()) == texts{"2", "5"});
    (void)s.seek(weir::start::since(events[1].frame.at() + std::chrono::milliseconds(1))).value();
    CHECK(s.fetch().value().empty());
    (void)s.seek(weir::start::since(events[1].frame.at()), stream).value();
    CHECK(payloads(s.fetch().value()).back() == "5");
    (void)s.seek(weir::start::now()).value();
    CHECK(s.info()->lag_frames() == 0);
    (void)s.seek(weir::start::after(events[0].frame.id)).value();
    CHECK(payloads(s.fetch().value()) == texts{"5"});
    weir::stream(db, stream).close();
    CHECK(weir::emit(db, {.stream = stream, .type = "late"}).error().why == weir::refusal::reason::stream_closed);
    {
        weir::transaction tx(db);
        (void)weir::emit(db, {.stream = stream, .type = "late"}).value();
        try {
            tx.commit();
            FAIL("it committed");
        } catch (weir::error const &e) {
            CHECK(e.sqlstate() == "WR001");
        }
    }
    CHECK(s.unsubscribe());
    CHECK(!s.unsubscribe());
    CHECK(!s.info());
}

TEST_CASE("ack() acknowledges what its transaction fetched, and nothing that came since") {
    weir::connection db, other;
    std::string const stream = unique("stream");
    weir::subscription s(db, unique("exact"));
    REQUIRE(s.subscribe(std::vector{stream, stream + ".more"}).value());
    emit(other, stream, 1);
    {
        weir::transaction tx(db);
        CHECK(payloads(s.fetch().value()) == texts{"1"});
        emit(other, stream, 2);
        emit(other, stream + ".more", 3);
        CHECK(s.ack().value() == 1);
        CHECK(s.ack().value() == 0);
        tx.commit();
    }
    auto const rest = s.fetch().value();
    CHECK(rest.size() == 2);
    try { // that fetch was another transaction
        (void)s.ack();
        FAIL("it was acknowledged");
    } catch (weir::error const &e) {
        CHECK(e.sqlstate() == "55000");
    }
    CHECK(s.info()->lag_frames() == 2);
    CHECK(s.unsubscribe());
}

TEST_CASE("a subscriber is woken, goes on where it was, and gets again what it did not acknowledge") {
    weir::connection db;
    weir::notifier n(rung_only());
    weir::pool pool;
    std::string const stream = unique("followed"), name = unique("follower");
    {
        weir::subscriber s(n, pool, name, {.streams = {stream}, .batch = 3});
        begin(s);
        for (int i = 0; i < 20; i++) {
            emit(db, stream, i);
            auto const e = s.next(long_enough).value();
            REQUIRE(e);
            CHECK(e->frame.payload == std::to_string(i));
        }
        CHECK(pool.open() == pool.idle()); // parked, it holds none
        CHECK(s.ack().value());
        CHECK(s.info()->lag_frames() == 0);
        for (int i = 20; i < 25; i++)
            emit(db, stream, i);
        for (int i = 20; i < 24; i++) // a batch, which the one after it acknowledges, and one more
            REQUIRE(s.next(long_enough).value()->frame.payload == std::to_string(i));
        CHECK(s.info()->lag_frames() == 2);
    }
    weir::subscriber again(n, pool, name);
    CHECK(payloads(again.next_batch(long_enough).value()) == texts{"23", "24"});
    CHECK(again.ack().value());
    std::jthread const later([&] {
        weir::connection other;
        for (int i = 25; i < 30; i++)
            emit(other, stream, i);
    });
    int next = 25;
    for (weir::event const &e : again.events(long_enough)) {
        CHECK(e.frame.payload == std::to_string(next++));
        if (next == 30)
            break;
    }
    CHECK(next == 30);
}

TEST_CASE("streams by pattern, also those made later, and more than there are channels for") {
    weir::connection db;
    weir::notifier n(rung_only());
    weir::pool pool;
    std::string const prefix = unique("by pattern");
    weir::subscriber wild(n, pool, unique("wild"), {.streams = {prefix + "/*"}});
    std::vector<std::string> many;
    for (int i = 0; i < 20; i++)
        many.push_back(prefix + "/" + std::to_string(i));
    weir::subscriber named(n, pool, unique("named"), {.streams = many});
    std::string const odd = unique(std::string(100, 'x') + "*");
    std::string quoted = odd;
    quoted.insert(100, "\\");
    weir::subscriber literal(n, pool, unique("literal"), {.streams = {quoted}});
    begin(wild);
    begin(named);
    begin(literal);
    for (int i = 0; i < 20; i++) {
        emit(db, many[static_cast<std::size_t>(i)], i);
        auto const e = wild.next(long_enough).value();
        REQUIRE(e);
        CHECK(e->stream == many[static_cast<std::size_t>(i)]);
        CHECK(named.next(long_enough).value());
    }
    emit(db, odd, 1);
    CHECK(literal.next(long_enough).value()->stream == odd);
    emit(db, unique("elsewhere"), 1);
    CHECK(!*wild.next(100ms));
    CHECK(wild.info()->lag.size() == 20);
}

TEST_CASE("what a handler writes happens exactly once, or not at all") {
    weir::connection db;
    make_tables(db);
    weir::notifier n(rung_only());
    weir::pool pool;
    std::string const stream = unique("handled");
    weir::subscriber s(n, pool, unique("handler"),
                       {.streams = {stream}, .subscribe = {.from = weir::start::beginning()}});
    emit(db, stream, 0);
    emit(db, stream, 1);
    auto fails = [](auto &c, auto events) {
        write_down(c, events);
        throw std::runtime_error("no");
    };
    CHECK_THROWS_AS(s.handle(fails, long_enough), std::runtime_error);
    CHECK(handled(db, stream) == "0 0");
    CHECK_THROWS_AS(s.handle([](auto &c, auto) { c.execute("SELECT 1/0"); }, long_enough), weir::error);
    auto swallows = [](auto &c, auto events) {
        write_down(c, events);
        CHECK_THROWS_AS(c.execute("SELECT 1/0"), weir::error);
    };
    CHECK_THROWS_AS(s.handle(swallows, long_enough), weir::error);
    CHECK_THROWS_AS(s.handle([](auto &c, auto) { c.execute("ROLLBACK"); }, long_enough), weir::error);
    CHECK(handled(db, stream) == "0 0");
    int calls = 0;
    auto serializes = [&](auto &c, auto events) {
        write_down(c, events);
        if (++calls == 1)
            c.execute("DO $$ BEGIN RAISE serialization_failure; END $$");
        if (calls == 2)
            c.query("SELECT pg_terminate_backend(pg_backend_pid())");
    };
    CHECK(s.handle(serializes, long_enough).value() == 2);
    CHECK(calls == 3);
    CHECK(handled(db, stream) == times(2));
    CHECK(s.handle(write_down, 50ms).value() == 0);
    CHECK(s.info()->lag_frames() == 0);
}

TEST_CASE("workers of one subscription take turns") {
    weir::connection db;
    make_tables(db);
    weir::notifier n(rung_only());
    weir::pool pool;
    std::string const stream = unique("shared"), name = unique("workers");
    (void)weir::subscription(db, name).subscribe(stream).value();
    std::stop_source stop;
    std::vector<std::jthread> workers;
    std::atomic<int> sum = 0;
    for (int i = 0; i < 2; i++)
        workers.emplace_back([&] {
            weir::subscriber s(n, pool, name, {.batch = 5});
            sum += static_cast<int>(s.run(write_down, stop.get_token()).value());
        });
    for (int i = 0; i < 200; i++)
        emit(db, stream, i);
    CHECK(eventually([&] { return handled(db, stream) == times(200); }));
    stop.request_stop();
    workers.clear();
    CHECK(handled(db, stream) == times(200));
    CHECK(sum == 200);
    CHECK(value(db, "SELECT count(*) FROM (SELECT n - lag(n) OVER (ORDER BY at) AS step FROM handled WHERE stream = '" +
                        stream + "') s WHERE step <> 1") == "0");
}

TEST_CASE("a stop or a deadline ends a wait, also for another worker") {
    weir::connection db;
    weir::notifier n(rung_only());
    weir::pool pool;
    std::string const stream = unique("stopped"), name = unique("stop");
    weir::subscriber s(n, pool, name, {.streams = {stream}});
    begin(s);
    auto stops = [&] {
        std::stop_source stop;
        std::jthread const stopper([&] {
            std::this_thread::sleep_for(100ms);
            stop.request_stop();
        });
        auto const begun = std::chrono::steady_clock::now();
        CHECK(s.handle([](auto &, auto) {}, stop.get_token()).value() == 0);
        CHECK(since(begun) < 5s);
    };
    stops();
    weir::transaction tx(db);
    (void)weir::subscription(db, name).fetch().value(); // has its turn now
    stops();
    CHECK(!*s.next(100ms));
}

TEST_CASE("an expired cursor is a value, and one can go on from there") {
    weir::connection db;
    weir::notifier n(rung_only());
    weir::pool pool;
    std::string const stream = unique("expired");
    weir::subscriber s(n, pool, unique("late"), {.streams = {stream}});
    begin(s);
    for (int i = 0; i < 5; i++)
        emit(db, stream, i);
    CHECK(weir::stream(db, stream).trim_keep(2) == 3);
    CHECK(s.next(long_enough).error().why == weir::refusal::reason::cursor_expired);
    CHECK(s.info()->lag.front().expired);
    CHECK(s.run(write_down, long_enough).error().why == weir::refusal::reason::cursor_expired);
    (void)s.seek(weir::start::beginning()).value();
    CHECK(payloads(s.next_batch(long_enough).value()) == texts{"3", "4"});
    weir::subscriber nobody(n, pool, unique("nobody"));
    try {
        (void)nobody.next(long_enough);
        FAIL("it is not there");
    } catch (weir::error const &e) {
        CHECK(e.sqlstate() == "42704");
    }
    weir::subscriber other(n, pool, s.name(), {.streams = {stream}, .subscribe = {.hold = true}});
    CHECK(other.next(long_enough).error().why == weir::refusal::reason::already_exists);
}

TEST_CASE("connections that fail again and again leave each event handled once", "[fault]") {
    proxy p;
    weir::connection db;
    make_tables(db);
    auto options = rung_only();
    options.conninfo = p.conninfo();
    weir::notifier n(options);
    weir::pool pool({.connect = {.conninfo = p.conninfo()}});
    std::string const stream = unique("cut"), name = unique("cut");
    (void)weir::subscription(db, name).subscribe(stream).value();
    std::stop_source stop;
    std::vector<std::jthread> workers;
    for (int i = 0; i < 2; i++)
        workers.emplace_back([&] {
            weir::subscriber s(n, pool, name, {.batch = 4});
            (void)s.run(write_down, stop.get_token()).value();
        });
    steady_emitter e(stream);
    for (int i = 0; i < 30; i++) {
        std::this_thread::sleep_for(50ms);
        if (i % 3 == 0)
            p.swallow_answer_to("COMMIT");
        p.cut();
    }
    int const emitted = e.finish();
    CHECK(emitted > 5);
    CHECK(eventually([&] { return handled(db, stream) == times(emitted); }));
    INFO(handled(db, stream) << " of " << emitted);
    stop.request_stop();
    workers.clear();
    CHECK(handled(db, stream) == times(emitted));
}

TEST_CASE("subscribers outlive restarts of the server", "[fault][restart]") {
    weir::notifier n(rung_only());
    weir::pool pool;
    std::string const stream = unique("outlives"), name = unique("outlives");
    {
        weir::connection db;
        make_tables(db);
        (void)weir::subscription(db, name).subscribe(stream).value();
        (void)weir::subscription(db, name + " seen").subscribe(stream).value();
    }
    std::stop_source stop;
    std::jthread worker([&] {
        weir::subscriber s(n, pool, name);
        (void)s.run(write_down, stop.get_token()).value();
    });
    std::set<int> seen;
    std::mutex lock;
    std::jthread reader([&] {
        weir::subscriber s(n, pool, name + " seen");
        while (auto e = s.next(stop.get_token()).value()) {
            std::lock_guard const guard(lock);
            seen.insert(std::stoi(*e->frame.payload));
        }
    });
    steady_emitter e(stream);
    for (char const *how : {"restart", "kill9"}) {
        int const before = e.emitted();
        REQUIRE(eventually([&] { return e.emitted() > before + 10; }));
        control(how);
        if (std::string(how) == "kill9")
            control("start");
    }
    int const before = e.emitted();
    REQUIRE(eventually([&] { return e.emitted() > before + 10; }));
    int const emitted = e.finish();
    weir::connection db;
    CHECK(eventually([&] { return handled(db, stream) == times(emitted); }));
    CHECK(eventually([&] {
        std::lock_guard const guard(lock);
        return static_cast<int>(seen.size()) == emitted;
    }));
    stop.request_stop();
}
