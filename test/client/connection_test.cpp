// SPDX-License-Identifier: PostgreSQL
//
// Claim: a connection says what went wrong and whether doing it again is safe; no call
// outlives its deadline or a stop; nothing happens outside of a transaction that was lost.
#include "proxy.hpp"
#include "session.hpp"
#include "support.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

using namespace test;

namespace {

weir::error error_of(std::function<void()> const &f) {
    try {
        f();
    } catch (weir::error const &e) {
        return e;
    }
    FAIL("no error");
    throw 0;
}

weir::connection_options to(proxy const &p) { return {.conninfo = p.conninfo()}; }

} // namespace

TEST_CASE("a connection knows what it is connected to") {
    weir::connection db;
    auto const facts = db.server();
    CHECK(facts.version >= 150000);
    CHECK(facts.weir_version == value(db, "SELECT extversion FROM pg_extension WHERE extname = 'weir'"));
    CHECK(!facts.standby);
    CHECK(!facts.pooler);
    CHECK(std::to_string(db.backend_pid()) == value(db, "SELECT pg_backend_pid()"));
    CHECK(value(db, "SHOW client_encoding") == "UTF8");
    CHECK(value(db, "SHOW application_name") == "weir");
}

TEST_CASE("parameters and rows") {
    weir::connection db;
    auto const rows = db.query("SELECT $1::text AS a, $2::text, 3 AS c", {"x'y\"\\", std::nullopt});
    REQUIRE(rows.size() == 1);
    CHECK(rows.columns() == 3);
    CHECK(rows.name(2) == "c");
    CHECK(rows.at(0, 0) == "x'y\"\\");
    CHECK(!rows.at(0, 1));
    CHECK(rows.at(0, 2) == "3");
    CHECK(rows.tag() == "SELECT 1");
    CHECK_THROWS_AS(rows.at(1, 0), weir::error);
    CHECK(error_of([&] { db.query("SELECT $1::text", {std::string_view("a\0b", 3)}); }).sqlstate() == "22021");
}

TEST_CASE("an error of the server carries what the server said") {
    weir::connection db;
    auto const e = error_of([&] { db.query("SELECT weir.trim('x', keep => -1)"); });
    CHECK(e.sqlstate() == "22023");
    CHECK(e.from() == weir::error::source::server);
    CHECK(e.retry_is_safe());
    CHECK(!e.in_doubt());
    CHECK(!e.transient());
    CHECK(!e.poisons_connection());
    CHECK(std::string(e.what()).find('\n') == std::string::npos);
    CHECK(value(db, "SELECT 1") == "1");
}

TEST_CASE("a refused connection has its SQLSTATE") {
    auto const database = error_of([] { weir::connection("dbname=there_is_no_such"); });
    CHECK(database.sqlstate() == "3D000");
    CHECK(!database.transient());
    CHECK(std::string(database.what()).find("LOCATION") == std::string::npos);
    auto const nobody = error_of([] { weir::connection("host=/nonexistent"); });
    CHECK(nobody.sqlstate().empty());
    CHECK(nobody.transient());
    CHECK(nobody.retry_is_safe());
    CHECK(error_of([] { weir::connection("no = such = option"); }).from() == weir::error::source::caller);
}

TEST_CASE("a peer that has died is noticed in less than half a minute, or when the user says") {
    proxy p;
    auto option = [&p](std::string const &more, int name) {
        weir::connection db(p.conninfo() + more);
        int value = 0;
        socklen_t size = sizeof value;
        REQUIRE(getsockopt(db.session().wire().fd(), IPPROTO_TCP, name, &value, &size) == 0);
        return value;
    };
    CHECK(option("", TCP_KEEPIDLE) + option("", TCP_KEEPINTVL) * option("", TCP_KEEPCNT) <= 30);
    CHECK(option("", TCP_USER_TIMEOUT) == 20'000);
    CHECK(option(" keepalives_idle=77", TCP_KEEPIDLE) == 77);
    CHECK(option(" tcp_user_timeout=7000", TCP_USER_TIMEOUT) == 7000);
}

TEST_CASE("connecting ends with its time or a stop") {
    proxy p;
    p.freeze();
    auto const begun = std::chrono::steady_clock::now();
    auto options = to(p);
    options.connect_timeout = 300ms;
    CHECK(error_of([&] { weir::connection{options}; }).from() == weir::error::source::connection);
    CHECK(since(begun) < 3s);
    CHECK(error_of([&] { weir::connection(to(p), 200ms); }).timed_out());
    std::stop_source stop;
    std::jthread const soon([&stop] {
        std::this_thread::sleep_for(100ms);
        stop.request_stop();
    });
    CHECK(error_of([&] { weir::connection(to(p), stop.get_token()); }).stopped());
    CHECK(since(begun) < 5s);
}

TEST_CASE("a call that takes too long is cancelled, and nothing is in doubt") {
    weir::connection db;
    db.call_timeout(200ms);
    auto const begun = std::chrono::steady_clock::now();
    auto const e = error_of([&] { db.query("SELECT pg_sleep(30)"); });
    CHECK(e.timed_out());
    CHECK(e.retry_is_safe());
    CHECK(since(begun) < 3s);
    db.call_timeout(0ms);
    int const pid = db.backend_pid();
    CHECK(value(db, "SELECT 1") == "1");
    CHECK(db.backend_pid() == pid); // the same connection
}

TEST_CASE("a stop ends a call") {
    std::stop_source stop;
    weir::connection db(weir::connection_options{.stop = stop.get_token()});
    std::jthread const soon([&stop] {
        std::this_thread::sleep_for(100ms);
        stop.request_stop();
    });
    auto const begun = std::chrono::steady_clock::now();
    CHECK(error_of([&] { db.query("SELECT pg_sleep(30)"); }).stopped());
    CHECK(since(begun) < 3s);
}

TEST_CASE("another thread may cancel") {
    weir::connection db;
    std::jthread const soon([&db] {
        std::this_thread::sleep_for(100ms);
        db.cancel();
    });
    auto const e = error_of([&] { db.query("SELECT pg_sleep(30)"); });
    CHECK(e.sqlstate() == "57014");
    CHECK(e.from() == weir::error::source::server);
}

TEST_CASE("a deadline holds where the server does not answer at all") {
    proxy p;
    weir::connection db(to(p));
    weir::stream s(db, unique("silent"));
    (void)s.append("0").value(); // what only prepares is never in doubt
    p.freeze();
    db.call_timeout(300ms);
    auto const begun = std::chrono::steady_clock::now();
    auto const e = error_of([&] { (void)s.append("1"); });
    CHECK(since(begun) < 3s);
    CHECK(e.timed_out());
    CHECK(e.in_doubt()); // it may have gone through
    CHECK(!e.retry_is_safe());
    CHECK(error_of([&] { (void)s.read(); }).retry_is_safe());
    p.thaw();
    db.call_timeout(0ms);
    CHECK(s.read().value().size() <= 2);
}

TEST_CASE("an idle connection that was lost is made again, and nobody notices") {
    proxy p;
    weir::connection db(to(p));
    weir::stream s(db, unique("idle"));
    (void)s.append("1").value();
    int const before = p.connections();
    p.cut();
    REQUIRE(eventually([&] { return s.read().value().size() == 1; }));
    (void)s.append("2").value();
    CHECK(s.read().value().size() == 2);
    CHECK(p.connections() == before + 1);
}

TEST_CASE("an append whose answer is lost is in doubt") {
    proxy p;
    weir::connection db(to(p));
    weir::stream s(db, unique("doubt"));
    (void)s.append("0").value(); // prepares the statement
    p.swallow_answer_to(s.name());
    auto const e = error_of([&] { (void)s.append("1"); });
    CHECK(e.in_doubt());
    CHECK(!e.retry_is_safe());
    CHECK(e.transient());
    CHECK(s.read().value().size() == 2); // as it happens, it was done
}

TEST_CASE("with an idempotency key the library tries again, and the frame is there once") {
    proxy p;
    weir::connection db(to(p));
    weir::stream s(db, unique("once"));
    (void)s.append("0").value();
    p.swallow_answer_to(s.name());
    auto const id = s.append("1", {.idempotency_key = "one"}).value();
    REQUIRE(p.swallowed());
    auto const frames = s.read().value();
    REQUIRE(frames.size() == 2);
    CHECK(frames[1].id == id);
    p.swallow_answer_to(s.name());
    CHECK(s.append_patch(R"({"a": 1})", {.idempotency_key = "two"}).value().summary_version == 1);
    CHECK(p.swallowed());
    CHECK(s.summary()->version == 1);
    std::string_view const three[] = {"1", "2", "3"};
    p.swallow_answer_to(s.name());
    CHECK(s.append_batch(three, {.idempotency_key = "three"}).value().frames == 3);
    CHECK(s.read().value().size() == 6);
}

TEST_CASE("a COMMIT whose answer is lost is in doubt, and whatever is lost before is not") {
    proxy p;
    weir::connection db(to(p));
    weir::stream s(db, unique("commit"));
    {
        weir::transaction tx(db);
        (void)s.append("1").value();
        p.swallow_answer_to("COMMIT");
        auto const e = error_of([&] { tx.commit(); });
        CHECK(p.swallowed());
        CHECK(e.in_doubt());
        CHECK(!e.retry_is_safe());
        CHECK(!e.hint().empty());
    }
    CHECK(s.read().value().size() == 1);
    {
        weir::transaction tx(db);
        p.swallow_answer_to(s.name());
        auto const e = error_of([&] { (void)s.append("2"); });
        CHECK(!e.in_doubt());
        CHECK(e.retry_is_safe());
        // Not outside of the transaction that it believes to be in.
        CHECK(error_of([&] { (void)s.append("3"); }).sqlstate() == "25P02");
        CHECK(error_of([&] { (void)s.append("3", {.idempotency_key = "3"}); }).sqlstate() == "25P02");
        CHECK(!error_of([&] { tx.commit(); }).in_doubt());
    }
    CHECK(s.read().value().size() == 1);
}

TEST_CASE("transactions commit, roll back, and say when they could not") {
    weir::connection db;
    weir::stream s(db, unique("transaction"));
    {
        weir::transaction tx(db);
        CHECK(db.in_transaction());
        (void)s.append("1").value();
        CHECK_THROWS_AS(weir::transaction(db), weir::error);
        tx.commit();
    }
    CHECK(!db.in_transaction());
    {
        weir::transaction const tx(db);
        (void)s.append("2").value();
    }
    CHECK(s.read().value().size() == 1);
    {
        weir::transaction tx(db);
        CHECK_THROWS(db.query("SELECT 1/0"));
        auto const e = error_of([&] { tx.commit(); });
        CHECK(e.sqlstate() == "25P02");
        CHECK(!e.in_doubt());
    }
    CHECK_THROWS_AS(weir::transaction(db, "serializable; DROP TABLE x"), weir::error);
    weir::transaction tx(db, "repeatable read");
    CHECK(value(db, "SHOW transaction_isolation") == "repeatable read");
    tx.rollback();
}

TEST_CASE("notices reach whoever asked for them") {
    std::string said;
    weir::connection db(weir::connection_options{.on_notice = [&said](std::string_view text) { said += text; }});
    db.execute("DO $$ BEGIN RAISE NOTICE 'look here'; END $$");
    CHECK(said.find("look here") != said.npos);
    CHECK_THROWS_AS(db.execute("COPY (SELECT 1) TO STDOUT"), weir::error);
    CHECK(value(db, "SELECT 1") == "1");
}

TEST_CASE("what was prepared may be gone") {
    weir::connection db;
    weir::stream s(db, unique("prepared"));
    (void)s.append("1").value();
    db.execute("DEALLOCATE ALL");
    (void)s.append("2").value();
    CHECK(s.read().value().size() == 2);
}

TEST_CASE("a pool gives out so many connections, and takes them back clean") {
    weir::pool pool({.size = 2});
    CHECK(pool.open() == 0);
    int first = 0;
    {
        auto a = pool.acquire();
        auto b = pool.acquire();
        first = a->backend_pid();
        CHECK(pool.open() == 2);
        CHECK(!pool.try_acquire());
        CHECK(error_of([&] { (void)pool.acquire(100ms); }).timed_out());
        std::stop_source stop;
        stop.request_stop();
        CHECK(error_of([&] { (void)pool.acquire(stop.get_token()); }).stopped());
        a->execute("BEGIN");
        std::jthread const waiting([&pool] { CHECK(pool.acquire(long_enough)->backend_pid() != 0); });
        auto const returned = std::move(b);
    }
    CHECK(pool.idle() == 2);
    auto again = pool.acquire();
    CHECK(again->backend_pid() == first);
    CHECK(!again->in_transaction());
    CHECK_THROWS(again->query("SELECT pg_terminate_backend(pg_backend_pid())"));
    {
        auto const gone = std::move(again);
    }
    CHECK(pool.open() == 1);
    weir::pool nowhere({.connect = {.conninfo = "host=/nonexistent"}, .size = 1});
    CHECK_THROWS_AS((void)nowhere.acquire(), weir::error);
    CHECK(nowhere.open() == 0);
}

TEST_CASE("a transaction whose connection was lost between two statements does not go on outside of it") {
    proxy p;
    weir::connection db(p.conninfo()), other;
    std::string const table = "lost_" + std::to_string(getpid());
    db.execute("CREATE TABLE " + table + " (n int)");
    weir::transaction tx(db);
    db.execute("INSERT INTO " + table + " VALUES (1)");
    std::string const pid = std::to_string(db.backend_pid());
    p.cut();
    REQUIRE(eventually([&] { return other.query("SELECT FROM pg_stat_activity WHERE pid = $1::int", {pid}).empty(); }));
    try {
        db.execute("INSERT INTO " + table + " VALUES (2)");
        FAIL("it went on");
    } catch (weir::error const &e) {
        CHECK(e.sqlstate() == "25P02");
        CHECK(e.transient());
        CHECK(e.retry_is_safe());
        CHECK(!e.in_doubt());
    }
    CHECK(db.in_transaction());
    CHECK_THROWS_AS(tx.commit(), weir::error);
    CHECK(value(other, "SELECT count(*) FROM " + table) == "0");
    CHECK(value(db, "SELECT 1") == "1");
    db.execute("DROP TABLE " + table);
}
