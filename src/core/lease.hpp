// SPDX-License-Identifier: PostgreSQL
//
// The rules of leases: what a lease is worth at a moment, and what an acquire may
// make of it. Times are microseconds of one clock that does not step
// (src/lease/clock.hpp).
//
//                  acquire                          release, by its holder
//   (no lease) --------------> held, epoch n ------------------------------> released
//                               |  ^      |  \       revoke
//                        renew  +--+      |   +-----------------------------> revoked
//                                         |  now >= expires
//                                         +---------------------------------> expired
//
// From each of the three on the right an acquire leads back to held, at an epoch
// above n. A lease expires by the clock alone: that it is written down as
// expired comes later, if at all, and changes nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::core {

enum class lease_state : char { held = 'h', released = 'r', revoked = 'v', expired = 'x' };

struct lease {
    lease_state state;
    std::int64_t epoch;
    std::int64_t expires_us;
    std::int64_t ttl_us; // granted last
    std::string_view owner;
};

// What becomes of a call that names a lease, in the order in which it is asked.
enum class standing { live, not_held, revoked, expired, stale };

constexpr bool is_live(lease const &l, std::int64_t now_us) noexcept {
    return l.state == lease_state::held && now_us < l.expires_us;
}

// Held on paper, but its time is over.
constexpr bool has_lapsed(lease const &l, std::int64_t now_us) noexcept {
    return l.state == lease_state::held && now_us >= l.expires_us;
}

// Of a caller who names the epoch; l: nullptr where there is no such lease.
constexpr standing standing_of(lease const *l, std::int64_t now_us, std::int64_t epoch) noexcept {
    if (l == nullptr || l->state == lease_state::released)
        return standing::not_held;
    if (l->state == lease_state::revoked)
        return standing::revoked;
    if (!is_live(*l, now_us))
        return standing::expired;
    return l->epoch == epoch ? standing::live : standing::stale;
}

// Of a caller who names owner and epoch.
constexpr standing standing_of(lease const *l, std::int64_t now_us, std::int64_t epoch,
                               std::string_view owner) noexcept {
    standing const by_epoch = standing_of(l, now_us, epoch);
    return by_epoch == standing::live && l->owner != owner ? standing::stale : by_epoch;
}

// How an acquire gets the lease, if it does.
enum class issuance {
    refused,       // somebody else holds it
    first,         // nobody ever did
    after_release, // its last holder gave it up,
    after_revoke,  // had it taken away,
    over_expired,  // let it expire,
    over_own       // or is who asks, as after a lost answer
};

constexpr issuance issuance_of(lease const *l, std::int64_t now_us, std::string_view owner) noexcept {
    if (l == nullptr)
        return issuance::first;
    switch (l->state) {
    case lease_state::released:
        return issuance::after_release;
    case lease_state::revoked:
        return issuance::after_revoke;
    case lease_state::expired:
        return issuance::over_expired;
    case lease_state::held:
        break;
    }
    if (!is_live(*l, now_us))
        return issuance::over_expired;
    return l->owner == owner ? issuance::over_own : issuance::refused;
}

// Whether more is left than was ever granted: the clock of this server lies behind
// the one that it was granted by, as after a failover.
constexpr bool is_overlong(lease const &l, std::int64_t now_us) noexcept {
    return l.state == lease_state::held && l.expires_us - now_us > l.ttl_us;
}

// Epochs that this server does not know of: where a lease was last issued in another line
// of the database's history (a server that was lost, a dump that was restored), the next epoch
// lies above the milliseconds since 1970, which counting from 1 does not reach, and well above
// what is known.
inline constexpr std::int64_t epoch_gap = std::int64_t{1} << 20;

constexpr std::int64_t next_epoch(std::int64_t last, bool same_line, std::int64_t now_ms) noexcept {
    if (same_line)
        return last + 1;
    return now_ms > last + epoch_gap ? now_ms : last + epoch_gap;
}

} // namespace weir::core
