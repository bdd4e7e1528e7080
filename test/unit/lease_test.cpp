// SPDX-License-Identifier: PostgreSQL
//
// Defends: a call on a lease is judged in the order not held, revoked, expired,
// stale, whatever else is wrong with it; a lease is live up to, not at, the moment
// it expires; it is given to another only when nobody holds it; epochs ascend.
#include "catch.hpp"
#include "core/lease.hpp"

using namespace weir::core;

namespace {

constexpr lease held{lease_state::held, 7, 1000, 500, "a"};

constexpr lease in(lease_state state) { return {state, 7, 1000, 500, "a"}; }

} // namespace

TEST_CASE("the holder's own call passes until the lease expires", "[lease]") {
    CHECK(standing_of(&held, 0, 7, "a") == standing::live);
    CHECK(standing_of(&held, 999, 7, "a") == standing::live);
    CHECK(standing_of(&held, 1000, 7, "a") == standing::expired);
    CHECK(standing_of(&held, 5000, 7, "a") == standing::expired);
    CHECK(standing_of(&held, 999, 7) == standing::live);
}

TEST_CASE("another epoch or owner is stale, below and above", "[lease]") {
    for (std::int64_t epoch : {-1L, 0L, 6L, 8L}) {
        CHECK(standing_of(&held, 0, epoch) == standing::stale);
        CHECK(standing_of(&held, 0, epoch, "a") == standing::stale);
    }
    CHECK(standing_of(&held, 0, 7, "b") == standing::stale);
    CHECK(standing_of(&held, 0, 7, "") == standing::stale);
    CHECK(standing_of(&held, 0, 7, "aa") == standing::stale);
}

TEST_CASE("the first reason in order is given: not held, revoked, expired, stale", "[lease]") {
    for (std::int64_t now : {0L, 999L, 1000L, 9000L})
        for (std::int64_t epoch : {1L, 7L, 9L})
            for (std::string_view owner : {"a", "b"}) {
                CHECK(standing_of(nullptr, now, epoch, owner) == standing::not_held);
                lease const released = in(lease_state::released), revoked = in(lease_state::revoked),
                            expired = in(lease_state::expired);
                CHECK(standing_of(&released, now, epoch, owner) == standing::not_held);
                CHECK(standing_of(&revoked, now, epoch, owner) == standing::revoked);
                CHECK(standing_of(&expired, now, epoch, owner) == standing::expired);
                if (now >= 1000)
                    CHECK(standing_of(&held, now, epoch, owner) == standing::expired);
            }
}

TEST_CASE("an acquire is refused where somebody else holds the lease, and only there", "[lease]") {
    CHECK(issuance_of(&held, 999, "b") == issuance::refused);
    CHECK(issuance_of(&held, 999, "a") == issuance::over_own);
    CHECK(issuance_of(&held, 1000, "b") == issuance::over_expired);
    CHECK(issuance_of(&held, 1000, "a") == issuance::over_expired);
    CHECK(issuance_of(nullptr, 0, "a") == issuance::first);
    for (std::string_view owner : {"a", "b"})
        for (std::int64_t now : {0L, 1000L}) {
            lease const released = in(lease_state::released), revoked = in(lease_state::revoked),
                        expired = in(lease_state::expired);
            CHECK(issuance_of(&released, now, owner) == issuance::after_release);
            CHECK(issuance_of(&revoked, now, owner) == issuance::after_revoke);
            CHECK(issuance_of(&expired, now, owner) == issuance::over_expired);
        }
}

TEST_CASE("only a held lease lapses, and never while it is live", "[lease]") {
    for (std::int64_t now : {-5L, 0L, 999L, 1000L, 1001L}) {
        CHECK(has_lapsed(held, now) == (now >= 1000));
        CHECK(is_live(held, now) != has_lapsed(held, now));
        for (lease_state s : {lease_state::released, lease_state::revoked, lease_state::expired}) {
            CHECK_FALSE(has_lapsed(in(s), now));
            CHECK_FALSE(is_live(in(s), now));
        }
    }
}

TEST_CASE("more left than was granted shows", "[lease]") {
    CHECK_FALSE(is_overlong(held, 500));
    CHECK(is_overlong(held, 499));
    CHECK_FALSE(is_overlong(in(lease_state::expired), 0));
}

TEST_CASE("epochs ascend, by far where some may have been lost", "[lease]") {
    constexpr std::int64_t now_ms = 1795171438346;
    CHECK(next_epoch(0, true, now_ms) == 1);
    CHECK(next_epoch(7, true, now_ms) == 8);
    CHECK(next_epoch(7, false, now_ms) == now_ms);
    CHECK(next_epoch(now_ms + 7, false, now_ms) > now_ms + 1000000); // restored twice, or behind the clock
    CHECK(next_epoch(7, false, -1) > 1000000);
}
