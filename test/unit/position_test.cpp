// SPDX-License-Identifier: PostgreSQL
//
// Defends: the text of a position is ms-seq and nothing else, reads back to the
// same integer, and what is wrong is named; mint never repeats, never goes
// back, never overflows.
#include "catch.hpp"
#include "core/position.hpp"

#include <random>
#include <string>

using namespace weir::core;

namespace {

std::string text_of(position p) {
    char buffer[position_text_size];
    std::size_t const n = format_position(p, buffer);
    REQUIRE(n < position_text_size);
    REQUIRE(buffer[n] == '\0');
    return {buffer, n};
}

errc code_of(std::string_view text) {
    position p = -7;
    failure why{};
    bool const done = parse_position(text, p, why);
    CHECK(done == (why.code == errc::none));
    if (!done)
        CHECK(why.message[0] != '\0');
    return why.code;
}

} // namespace

TEST_CASE("a position is milliseconds and sequence in one ordered integer", "[position]") {
    static_assert(make(0, 0) == least);
    static_assert(make(max_ms, max_seq) == greatest);
    static_assert(max_ms == 8796093022207 && max_seq == 1048575);
    static_assert(make(1, 0) == make(0, max_seq) + 1);
    static_assert(ms_of(make(1795171438346, 5)) == 1795171438346);
    static_assert(seq_of(make(1795171438346, 5)) == 5);
    CHECK(make(1, max_seq) < make(2, 0));
}

TEST_CASE("text reads back to the same position", "[position]") {
    for (auto const &[p, text] : {std::pair{least, "0-0"},
                                  {greatest, "8796093022207-1048575"},
                                  {make(1795171438346, 0), "1795171438346-0"},
                                  {make(1713100800150, 12), "1713100800150-12"},
                                  {make(0, 1), "0-1"},
                                  {make(1, 0), "1-0"}}) {
        CHECK(text_of(p) == text);
        position read = -1;
        failure why{};
        REQUIRE(parse_position(text, read, why));
        CHECK(read == p);
    }
    std::mt19937_64 engine(1);
    for (int i = 0; i < 20000; ++i) {
        position const p = static_cast<position>(engine() >> (1 + engine() % 63));
        position read = -1;
        failure why{};
        REQUIRE(parse_position(text_of(p), read, why));
        REQUIRE(read == p);
    }
}

TEST_CASE("- is the least and + the greatest, leading zeros are no matter", "[position]") {
    position p = -1;
    failure why{};
    REQUIRE(parse_position("-", p, why));
    CHECK(p == least);
    REQUIRE(parse_position("+", p, why));
    CHECK(p == greatest);
    REQUIRE(parse_position("00000000000000000000000000007-000000000000000000000000000003", p, why));
    CHECK(p == make(7, 3));
}

TEST_CASE("anything else is malformed", "[position]") {
    for (std::string_view text : {"",
                                  "abc",
                                  "-1",
                                  "1-",
                                  "-1-2",
                                  "1-2-3",
                                  "1.2",
                                  "1 2",
                                  "1- 2",
                                  "start",
                                  "START",
                                  "END",
                                  "1\xE2\x80\x93"
                                  "2",
                                  "123",
                                  "--",
                                  "++",
                                  "+1-0",
                                  "1-+0",
                                  " 1-0",
                                  "1-0 ",
                                  "1-0\n",
                                  "0x1-0",
                                  "1e3-0",
                                  "1--0",
                                  "-+",
                                  "99999999999999999999999999",
                                  "99999999999999999999999999-",
                                  "99999999999999999999999999-x"})
        CHECK(code_of(text) == errc::malformed);
    CHECK(code_of(std::string_view("1-0\0", 4)) == errc::malformed);
    CHECK(code_of(std::string(100000, '1')) == errc::malformed);
}

TEST_CASE("a part that does not fit is out of range, not wrapped", "[position]") {
    for (std::string_view text :
         {"8796093022208-0", "0-1048576", "9223372036854775807-0", "18446744073709551616-0", "0-18446744073709551616",
          "8796093022207-1048576", "99999999999999999999999999999999999-0"})
        CHECK(code_of(text) == errc::out_of_range);
    CHECK(code_of(std::string(100000, '9') + "-0") == errc::out_of_range);
}

TEST_CASE("errors quote the text, shortened, in Postgres' style", "[position]") {
    position p = -1;
    failure why{};
    REQUIRE_FALSE(parse_position("12:34", p, why));
    CHECK(std::string(why.message) == "invalid input syntax for type weir.position: \"12:34\"");
    CHECK(std::string(why.hint).find("ms-seq") != std::string::npos);
    REQUIRE_FALSE(parse_position("0-1048576", p, why));
    CHECK(std::string(why.message) == "value \"0-1048576\" is out of range for type weir.position");
    CHECK(std::string(why.detail).find("1048575") != std::string::npos);
    REQUIRE_FALSE(parse_position(std::string(5000, 'y'), p, why));
    std::string const message = why.message;
    CHECK(message.substr(message.size() - 5) == "y...\"");
}

TEST_CASE("mint follows the clock, and the log where that is ahead", "[position][mint]") {
    static_assert(mint(-1, 1000, -1) == make(1000, 0));
    CHECK(mint(make(999, 5), 1000, -1) == make(1000, 0));
    CHECK(mint(make(1000, 0), 1000, -1) == make(1000, 1));
    CHECK(mint(make(2000, 7), 1000, -1) == make(2000, 8));
    CHECK(mint(make(1000, max_seq), 1000, -1) == make(1001, 0));
    CHECK(mint(make(1000, 3), 1000, make(3000, 9)) == make(3000, 10));
    CHECK(mint(make(1000, 3), 1000, make(900, 9)) == make(1000, 4));
    CHECK(mint(-1, 1000, make(1000, 0)) == make(1000, 1));
    CHECK(mint(-1, 1000, make(1000, 0) - 1) == make(1000, 0));
}

TEST_CASE("mint never hands out 0-0 and takes a clock before 1970 as 1970", "[position][mint]") {
    CHECK(mint(-1, 0, -1) == make(0, 1));
    CHECK(mint(-1, -5000, -1) == make(0, 1));
    CHECK(mint(-1, std::numeric_limits<std::int64_t>::min(), -1) == make(0, 1));
}

TEST_CASE("mint says so at the end of the space instead of wrapping", "[position][mint]") {
    CHECK(mint(greatest, 0, -1) == -1);
    CHECK(mint(-1, 0, greatest) == -1);
    CHECK(mint(greatest - 1, 0, -1) == greatest);
    CHECK(mint(greatest - 1, 0, -1, 2) == -1);
    CHECK(mint(greatest - 10, 0, -1, 10) == greatest - 9);
    CHECK(mint(greatest - 10, 0, -1, 11) == -1);
    CHECK(mint(-1, max_ms, -1, max_seq + 1) == make(max_ms, 0));
    CHECK(mint(-1, max_ms, -1, max_seq + 2) == -1);
    CHECK(mint(-1, max_ms + 1, -1) == -1);
    CHECK(mint(-1, std::numeric_limits<std::int64_t>::max(), -1) == -1);
    CHECK(mint(-1, 1, -1, 0) == -1);
    CHECK(mint(-1, 1, -1, -1) == -1);
    CHECK(mint(-1, 1, -1, std::numeric_limits<std::int64_t>::max()) == -1);
}

TEST_CASE("whatever the clock does, minted ranges only go up", "[position][mint]") {
    std::mt19937_64 engine(2);
    position last = -1;
    for (int i = 0; i < 20000; ++i) {
        std::int64_t const now = 1000 + static_cast<std::int64_t>(engine() % 100) - 50 + i / 20;
        std::int64_t const count = 1 + static_cast<std::int64_t>(engine() % (engine() % 50 == 0 ? 3000000 : 5));
        position const first = mint(last, now, last / 2, count);
        REQUIRE(first > last);
        REQUIRE(first >= make(now, 0));
        last = first + count - 1;
    }
}
