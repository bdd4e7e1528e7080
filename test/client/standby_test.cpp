// SPDX-License-Identifier: PostgreSQL
//
// Claim: on a standby the library reads and tails, by waiting in the server, and says
// that it does so; it refuses what a standby refuses; a promotion is noticed, and
// LISTEN takes over. The environment leads to the standby, WEIR_TEST_PRIMARY to its primary.
#include "support.hpp"

using namespace test;

TEST_CASE("a standby", "[standby]") {
    weir::connection standby, primary(std::getenv("WEIR_TEST_PRIMARY"));
    REQUIRE(standby.server().standby);
    REQUIRE(!primary.server().standby);
    weir::stream here(standby, unique("standby")), there(primary, here.name());
    try {
        (void)here.append("1");
        FAIL("it was taken");
    } catch (weir::error const &e) {
        CHECK(e.sqlstate() == "25006");
        CHECK(e.retry_is_safe());
    }
    weir::notifier n({.slow_poll = 1h});
    weir::tail t(n, here.name());
    std::vector<weir::tail> others;
    for (int i = 0; i < 100; i++)
        others.emplace_back(n, here.name() + "/" + std::to_string(i));
    REQUIRE(t.subscribed(long_enough));
    CHECK(n.status().how == weir::wakeup::wait);
    CHECK(n.status().standby);
    CHECK(!n.status().pooler);
    CHECK(n.status().why.find("standby") != std::string::npos);
    auto const c = n.listen("mine", [](auto) {});
    CHECK(!c.listening(long_enough)); // and says so at once
    for (int i = 0; i < 20; i++) {
        auto const id = there.append(std::to_string(i)).value();
        auto const f = t.next(long_enough);
        REQUIRE(f);
        CHECK(f->id == id);
    }
    weir::batch batch;
    for (auto const &o : others)
        batch.append(o.stream(), weir::json("1"));
    (void)batch.send(primary).value();
    for (auto &o : others)
        REQUIRE(o.next(long_enough));
    CHECK(n.counts().polls == 0);
    CHECK(here.wait({}, long_enough).value().ready);

    control("promote");
    REQUIRE(eventually([&] { return n.status().how == weir::wakeup::database; }));
    CHECK(!n.status().standby);
    REQUIRE(c.listening(long_enough));
    REQUIRE(eventually([&] { return value(standby, "SELECT 1") == "1" && !standby.server().standby; }));
    auto const id = here.append("21").value();
    CHECK(t.next(long_enough)->id == id);
    CHECK(n.counts().polls == 0);
}
