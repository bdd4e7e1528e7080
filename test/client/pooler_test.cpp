// SPDX-License-Identifier: PostgreSQL
//
// Claim: behind PgBouncer in transaction mode every call works, without anything that
// would need a session; tails wait in the server, and say so. In session mode LISTEN works for those
// who say that it does. WEIR_TEST_TRANSACTION and WEIR_TEST_SESSION lead to the two.
#include "support.hpp"

using namespace test;

TEST_CASE("calls through a transaction pooler", "[pooler]") {
    std::string const pooler = std::getenv("WEIR_TEST_TRANSACTION");
    weir::connection db(pooler), other(pooler), third(pooler);
    CHECK(db.server().pooler);
    CHECK(!db.server().weir_version.empty());
    weir::stream s(db, unique("pooler"));
    for (int i = 0; i < 20; i++) {
        (void)s.append(std::to_string(i)).value();
        (void)weir::stream(other, s.name()).append_text("x", {.idempotency_key = std::to_string(i)}).value();
        (void)weir::stream(third, s.name()).append_patch(R"({"a": 1})").value();
    }
    CHECK(s.read().value().size() == 60);
    {
        weir::transaction tx(db);
        (void)s.append("61").value();
        (void)weir::stream(other, s.name()).head();
        tx.commit();
    }
    weir::batch batch;
    batch.append(s.name(), weir::json("62"));
    batch.append_best_effort(s.name(), weir::json("63"));
    (void)batch.send(db).value();
    int ok = 0;
    weir::pipeline pipe(db, [&ok](auto const &o) { ok += o.ok(); }, {.group = 5, .groups = 3});
    for (int i = 0; i < 50; i++)
        pipe.append(s.name(), weir::json("1"));
    pipe.finish();
    CHECK(ok == 50);
    CHECK(s.read().value().size() == 113);
    CHECK(!s.wait(s.head(), 100ms).value().ready);
}

TEST_CASE("tails through a transaction pooler", "[pooler]") {
    std::string const pooler = std::getenv("WEIR_TEST_TRANSACTION");
    weir::connection db;
    weir::notifier n({.conninfo = pooler, .slow_poll = 1h});
    weir::stream s(db, unique("pooled"));
    weir::tail t(n, s.name());
    REQUIRE(t.subscribed(long_enough));
    CHECK(n.status().how == weir::wakeup::wait);
    CHECK(n.status().pooler);
    CHECK(n.status().why.find("pooler") != std::string::npos);
    for (int i = 0; i < 20; i++) {
        auto const id = s.append(std::to_string(i)).value();
        auto const f = t.next(long_enough);
        REQUIRE(f);
        CHECK(f->id == id);
    }
    CHECK(n.counts().polls == 0);
    CHECK(n.counts().notifications == 0);
    // Whoever may read but not wait polls.
    db.execute("CREATE ROLE weir_patient LOGIN; SELECT weir.grant_access('weir_patient', 'read');"
               "REVOKE EXECUTE ON PROCEDURE weir.wait_many FROM weir_patient");
    {
        weir::notifier polling({.conninfo = pooler + " user=weir_patient", .slow_poll = 1h, .poll = 20ms});
        weir::tail slow(polling, s.name(), {.from = weir::start::now()});
        REQUIRE(slow.subscribed(long_enough));
        REQUIRE(eventually([&] { return polling.status().how == weir::wakeup::poll; }));
        CHECK(polling.status().why.find("wait") != std::string::npos);
        (void)s.append("21").value();
        CHECK(slow.next(long_enough)->payload == "21");
    }
    db.execute("SELECT weir.revoke_access('weir_patient'); DROP ROLE weir_patient");
}

TEST_CASE("tails through a session pooler", "[pooler]") {
    weir::connection db;
    weir::notifier n({.conninfo = std::getenv("WEIR_TEST_SESSION"), .slow_poll = 1h, .session_pooler = true});
    weir::stream s(db, unique("session"));
    weir::tail t(n, s.name());
    REQUIRE(t.subscribed(long_enough));
    CHECK(n.status().how == weir::wakeup::channels);
    CHECK(n.status().pooler);
    (void)s.append("1").value();
    CHECK(t.next(long_enough));
}
