// SPDX-License-Identifier: PostgreSQL
//
// Defends: cursor bytes carry any position and nothing else passes for one.
#include "catch.hpp"
#include "core/cursor.hpp"
#include "core/position.hpp"

#include <array>
#include <random>
#include <vector>

using namespace weir::core;

TEST_CASE("a cursor is 0x02 and eight bytes, big-endian", "[cursor]") {
    std::byte out[cursor_size];
    encode_cursor(0x0102030405060708, out);
    for (int i = 0; i < 9; ++i)
        CHECK(std::to_integer<int>(out[i]) == (i == 0 ? 2 : i));
    encode_cursor(12345, out);
    CHECK(out[0] == std::byte{2});
    std::int64_t read = 0;
    failure why{};
    REQUIRE(decode_cursor(out, read, why));
    CHECK(read == 12345);
}

TEST_CASE("every position survives, and bytes order as positions do", "[cursor]") {
    std::mt19937_64 engine(3);
    std::int64_t previous = 0;
    std::array<std::byte, cursor_size> previous_bytes{};
    for (int i = 0; i < 20000; ++i) {
        std::int64_t p = static_cast<std::int64_t>(engine() >> (1 + engine() % 63));
        if (i == 0)
            p = least;
        if (i == 1)
            p = greatest;
        std::byte out[cursor_size];
        encode_cursor(p, out);
        std::int64_t read = -1;
        failure why{};
        REQUIRE(decode_cursor(out, read, why));
        REQUIRE(read == p);
        auto const now = std::to_array(out);
        if (i > 0)
            REQUIRE((now < previous_bytes) == (p < previous));
        previous = p;
        previous_bytes = now;
    }
}

TEST_CASE("a wrong prefix, a wrong length and a negative number are malformed", "[cursor]") {
    auto rejects = [](std::vector<int> const &numbers) {
        std::vector<std::byte> bytes;
        for (int n : numbers)
            bytes.push_back(static_cast<std::byte>(n));
        std::int64_t read = -1;
        failure why{};
        bool const done = decode_cursor(bytes, read, why);
        CHECK(read == (done ? read : 0));
        return !done && why.code == errc::malformed && why.detail[0] != '\0';
    };
    CHECK(rejects({}));
    CHECK(rejects({2}));
    CHECK(rejects({2, 0, 0, 0, 0, 0, 0, 1}));
    CHECK(rejects({2, 0, 0, 0, 0, 0, 0, 0, 1, 0}));
    CHECK(rejects({1, 0, 0, 0, 0, 0, 0, 0, 1}));
    CHECK(rejects({0, 0, 0, 0, 0, 0, 0, 0, 1}));
    CHECK(rejects({1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2}));
    CHECK(rejects({2, 0x80, 0, 0, 0, 0, 0, 0, 0}));
    CHECK(rejects({2, 255, 255, 255, 255, 255, 255, 255, 255}));
    CHECK_FALSE(rejects({2, 0x7F, 255, 255, 255, 255, 255, 255, 255}));
}
