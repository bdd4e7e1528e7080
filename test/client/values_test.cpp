// SPDX-License-Identifier: PostgreSQL
//
// Claim: positions and cursors have the text and byte forms of the server; a frame's
// text is what went into it; what a notification carries is read right, or not at all.
#include "support.hpp"

#include "json_text.hpp"

#include <map>

using namespace test;

TEST_CASE("a position reads and writes as the server's") {
    auto const p = weir::position::parse("1795171438346-7");
    CHECK(p.text() == "1795171438346-7");
    CHECK(p.sequence() == 7);
    CHECK(p.time().time_since_epoch().count() == 1795171438346);
    CHECK(p.value() == ((std::int64_t{1795171438346} << 20) | 7));
    CHECK(weir::position::parse("-") == weir::position::least());
    CHECK(weir::position::parse("+") == weir::position::greatest());
    CHECK(weir::position::at(p.time()) < p);
    CHECK(weir::position() == weir::position::parse("0-0"));
    auto sqlstate = [](char const *text) -> std::string {
        try {
            (void)weir::position::parse(text);
            return "";
        } catch (weir::error const &e) {
            CHECK(e.from() == weir::error::source::caller);
            return e.sqlstate();
        }
    };
    for (char const *malformed : {"", "1", "1-", "-1", " 1-1", "1-1 ", "a-b", "1--1"})
        CHECK(sqlstate(malformed) == "22P02");
    CHECK(sqlstate("8796093022208-0") == "22003");
    CHECK(sqlstate("1-1048576") == "22003");
}

TEST_CASE("a cursor is nine opaque bytes") {
    weir::cursor const c(weir::position(0x0102030405060708));
    auto const bytes = c.bytes();
    CHECK(std::to_integer<int>(bytes[0]) == 2);
    CHECK(std::to_integer<int>(bytes[1]) == 1);
    CHECK(std::to_integer<int>(bytes[8]) == 8);
    CHECK(weir::cursor::parse(bytes) == c);
    auto forged = bytes;
    forged[0] = std::byte{1};
    CHECK_THROWS_AS(weir::cursor::parse(forged), weir::error);
    CHECK_THROWS_AS(weir::cursor::parse(std::span(bytes).first(8)), weir::error);
    CHECK_THROWS_AS(weir::cursor::parse({}), weir::error);
}

TEST_CASE("the text of a frame is unescaped") {
    weir::frame f;
    CHECK(!f.text());
    f.payload = R"("a\"b\\c\/d\b\f\n\r\té€😀")";
    CHECK(*f.text() == "a\"b\\c/d\b\f\n\r\t\u00e9\u20ac\U0001f600");
    f.payload = R"({"a": 1})";
    CHECK(!f.text());
    f.payload = "\"\"";
    CHECK(*f.text() == "");
}

TEST_CASE("the payload of the database's channel is read, or refused whole") {
    std::map<std::string, std::string> got;
    auto read = [&got](std::string_view text) {
        got.clear();
        return weir::internal::for_each_member(
            text, [&got](std::string_view name, std::string_view value) { got.emplace(name, value); });
    };
    CHECK(read(R"({"a": "1-0", "b\"\u00e9": "2-0"})"));
    CHECK(got == std::map<std::string, std::string>{{"a", "1-0"}, {"b\"\u00e9", "2-0"}});
    CHECK(read("{}"));
    CHECK(read(" { } "));
    for (char const *other : {"", "{", "[]", "{\"a\"}", "{\"a\": 1}", "{\"a\": \"1-0\"", "{\"a\": \"1-0\"}x",
                              "{\"a\": \"\\ud800\"}", "{\"a\": \"\\u12\"}", "{\"a\": \"1-0\",}", "null"})
        CHECK(!read(other));
}

TEST_CASE("a limit is the sooner of its time and its stop") {
    CHECK(!weir::until().over());
    CHECK(weir::until(0s).passed());
    CHECK(!weir::until(std::chrono::hours(24 * 365 * 1000)).passed());
    CHECK(weir::until(std::chrono::hours::max()).when() == weir::until::never);
    std::stop_source stop;
    weir::until const u(10s, stop.get_token());
    CHECK(!u.over());
    stop.request_stop();
    CHECK(u.over());
    CHECK(!u.passed());
}
