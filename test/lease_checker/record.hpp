// SPDX-License-Identifier: PostgreSQL
//
// What was tried and what came back: the only input of the verdict. Times are
// microseconds of the client's steady clock, taken before a call was sent (from)
// and after it was answered (to), so that whatever the server did lies between them.
// Each thread owns its record.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "database.hpp"
#include "dice.hpp"

namespace leases {

using checker::connection;
using checker::dice;
using checker::result;

struct options {
    double seconds = 6, timeout = 30;
    unsigned holders = 8, leases = 3;
    std::uint64_t seed = 1;
    std::string conninfo, run = "lease-checker";

    std::string lease(unsigned n) const { return run + "/" + std::to_string(n); }
    std::string stream() const { return "leases/" + run; }
};

inline std::int64_t now() {
    using namespace std::chrono;
    return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

struct span {
    std::int64_t from, to;
};

// An acquire or a renewal that succeeded.
struct grant {
    unsigned lease;
    std::int64_t epoch;
    span at;
    std::int64_t ttl;
    bool issued; // else renewed
    std::string owner;
    bool committed;
};

// An acquire that was told of another holder.
struct refusal {
    unsigned lease;
    span at;
    std::string held_by;
};

// A call under a lease that failed, and why.
struct loss {
    unsigned lease;
    std::int64_t epoch;
    span at;
    std::string sqlstate;
};

enum class deed { write, release, revoke };

// A call under a lease (or against it) that succeeded.
struct act {
    deed what;
    unsigned lease;
    std::int64_t epoch; // 0: whatever it was at
    span at;
    std::int64_t key; // of a write
    bool committed;
};

// What a new holder found in the stream of its lease once it was sure of it.
struct look {
    unsigned lease;
    std::int64_t epoch;
    std::int64_t last; // position of the newest frame
};

struct record {
    std::vector<grant> grants;
    std::vector<refusal> refusals;
    std::vector<loss> losses;
    std::vector<act> acts;
    std::vector<look> looks;
    std::vector<std::string> errors; // what nothing of this should raise
    std::uint64_t sweeps = 0, expired = 0;
};

} // namespace leases
