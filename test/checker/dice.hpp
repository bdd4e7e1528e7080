// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstdint>
#include <random>

namespace checker {

// A thread's own source of choices; the interleaving is the server's.
class dice {
public:
    explicit dice(std::uint64_t seed) : engine(seed) {}
    unsigned below(unsigned n) { return static_cast<unsigned>(engine() % n); }
    bool percent(unsigned p) { return below(100) < p; }

private:
    std::mt19937_64 engine;
};

} // namespace checker
