// SPDX-License-Identifier: PostgreSQL
//
// Small random documents and patches with few distinct keys, so that they
// meet. Pick is any function size_t(size_t n) giving 0..n-1: a seeded engine in the property
// tests, the input bytes in the fuzzers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace weir::test {

inline constexpr char const *the_sentinel = "__null__";

template <class Pick> nlohmann::json generate_scalar(Pick &pick) {
    static constexpr char const *strings[] = {"", "x", "value", "__null_", the_sentinel, "z__null__z"};
    static constexpr double numbers[] = {0, 1, -7, 10000, 123456789, 0.5, -12.125};
    switch (pick(8)) {
    case 0:
    case 1:
        return nullptr;
    case 2:
        return pick(2) == 0;
    case 3:
    case 4: {
        double const n = numbers[pick(std::size(numbers))];
        if (n == static_cast<long>(n))
            return static_cast<long>(n);
        return n;
    }
    default:
        return strings[pick(std::size(strings))];
    }
}

// depth: how many levels of objects and arrays at most.
template <class Pick> nlohmann::json generate(Pick &pick, int depth) {
    static constexpr char const *keys[] = {"a", "b", "c", "aa", "ab", "", "key", "longer key", the_sentinel};
    std::size_t const shape = pick(8);
    if (depth < 1 || shape < 2)
        return generate_scalar(pick);
    if (shape == 2) {
        auto array = nlohmann::json::array();
        for (std::size_t n = pick(4); n > 0; --n)
            array.push_back(generate(pick, depth - 1));
        return array;
    }
    auto object = nlohmann::json::object();
    for (std::size_t n = pick(5); n > 0; --n)
        object[keys[pick(std::size(keys))]] = generate(pick, depth - 1);
    if (depth > 1 && pick(40) == 0) // more than one stride of entries
        for (std::size_t n = 20 + pick(60); n > 0; --n)
            object["k" + std::to_string(pick(100))] = generate(pick, 1);
    return object;
}

} // namespace weir::test
