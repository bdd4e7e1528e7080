// SPDX-License-Identifier: PostgreSQL
//
// What the command takes apart it can put together again, and what it prints cannot do anything to a terminal.
#include "../../unit/catch.hpp"

#include "pipe/splitter.hpp"
#include "pipe/tally.hpp"
#include "screen/json.hpp"
#include "screen/table.hpp"
#include "screen/text.hpp"
#include "shell/cursor_file.hpp"
#include "shell/exit.hpp"

#include <clocale>
#include <filesystem>
#include <fstream>
#include <random>

using namespace weir::command;
using namespace std::chrono_literals;

namespace {

constexpr screen plain{.fd = 1};

std::string random_bytes(std::mt19937 &random, std::size_t max) {
    static constexpr std::string_view likely[] = {"\n",   "a",       "é", "€", "😀", std::string_view("\0", 1),
                                                  "\xff", "\xe2\x82"};
    std::string text;
    for (std::size_t n = random() % max; n > 0; n--)
        text += likely[random() % std::size(likely)];
    return text;
}

std::string joined(std::vector<piece> const &pieces) {
    std::string all;
    for (piece const &p : pieces)
        all.append(p.data).append(p.eol ? "\n" : "");
    return all;
}

} // namespace

TEST_CASE("pieces put together are the bytes that went in, whatever they are and however they come") {
    std::mt19937 random(1);
    for (int round = 0; round < 3000; round++) {
        bool const lines = round % 2 == 0;
        std::size_t const max = 4 + random() % 12;
        std::string const bytes = random_bytes(random, 60);
        std::vector<piece> pieces;
        splitter s(channel_of::standard_output, lines, max, [&](piece p) { pieces.push_back(std::move(p)); });
        for (std::string_view rest = bytes; !rest.empty();) {
            std::size_t const n = std::min<std::size_t>(1 + random() % 9, rest.size());
            s.feed(rest.substr(0, n));
            rest.remove_prefix(n);
        }
        s.finish();
        REQUIRE(joined(pieces) == bytes);
        for (piece const &p : pieces) {
            REQUIRE(p.data.size() <= max);
            REQUIRE(p.text == is_text(p.data));
            if (lines)
                REQUIRE(p.data.find('\n') == p.data.npos);
        }
    }
}

TEST_CASE("a valid line is never cut within a character") {
    std::vector<piece> pieces;
    splitter s(channel_of::standard_output, true, 4, [&](piece p) { pieces.push_back(std::move(p)); });
    s.feed("a€€😀é\n");
    REQUIRE(pieces.size() == 4);
    for (piece const &p : pieces)
        REQUIRE(p.text);
    REQUIRE(joined(pieces) == "a€€😀é\n");
}

TEST_CASE("text is what the server takes as text") {
    for (std::string_view good : {"", "abc", "é€😀", "\x7f", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
        REQUIRE(is_text(good));
    for (std::string_view bad :
         {std::string_view("\0", 1), std::string_view("\xff"), std::string_view("\xc0\x80"),
          std::string_view("\xed\xa0\x80"), std::string_view("\xf4\x90\x80\x80"), std::string_view("\xe2\x82"),
          std::string_view("\x80"), std::string_view("\xf0\x8f\xbf\xbf")})
        REQUIRE_FALSE(is_text(bad));
}

TEST_CASE("nothing printed controls the terminal, but for colours where they are wanted") {
    REQUIRE(printable("\x1b]0;title\x07", true) == "\\x1b]0;title\\x07");
    REQUIRE(printable("\x1b[2J\x1b[31mred", true) == "\\x1b[2J\x1b[31mred\x1b[0m");
    REQUIRE(printable("\x1b[31mred\x1b[0m", false) == "red");
    REQUIRE(printable("a\tb\r\x7f\xc2\x9b", true) == "a\tb\\x0d\\x7f\\xc2\\x9b");
    REQUIRE(printable("caf\xe9 café", true) == "caf\\xe9 café");
}

TEST_CASE("durations are read, and nothing else") {
    REQUIRE(parse_duration("250ms") == 250ms);
    REQUIRE(parse_duration("1h30m") == 90min);
    REQUIRE(parse_duration("1.5s") == 1500ms);
    REQUIRE(parse_duration("2d") == 48h);
    for (char const *bad : {"", "5", "m", "5 m", "-5m", "1..5s", "5x", "10:00", "2026-11-20", "99999999999999d"})
        REQUIRE_FALSE(parse_duration(bad));
}

TEST_CASE("numbers and times are shown short") {
    REQUIRE(show_duration(340ms) == "340 ms");
    REQUIRE(show_duration(59999ms) == "59.9 s");
    REQUIRE(show_duration(245s) == "4m05s");
    REQUIRE(show_duration(50h) == "2d02h");
    REQUIRE(show_count(-1234567) == "-1,234,567");
    REQUIRE(show_count(999) == "999");
    REQUIRE(show_bytes(999) == "999 B");
    REQUIRE(show_bytes(999'999) == "1.0 MB");
    REQUIRE(show_rate(0.001) == "0");
    REQUIRE(show_rate(9.96) == "10");
    REQUIRE(show_timestamp(time_point(1795171438346ms)) == "2026-11-20T10:43:58.346Z");
}

TEST_CASE("JSON is passed on digit by digit") {
    std::string const value = R"({"a": 1e400, "b": [12345678901234567890.10, {"c": null}], "d": "x\"}"})";
    REQUIRE(json::one_line(value, plain) == value);
    REQUIRE(json::member(value, "d") == R"("x\"}")");
    REQUIRE(json::member(value, "b") == R"([12345678901234567890.10, {"c": null}])");
    REQUIRE_FALSE(json::member(value, "c"));
    REQUIRE_FALSE(json::member("[1]", "a"));
    REQUIRE(json::lines(R"({"a": {"b": 1}, "e": {}})", plain) == "{\n  \"a\": {\"b\": 1},\n  \"e\": {}\n}");
    REQUIRE(json::with_member("", "eol", "false") == R"({"eol": false})");
    REQUIRE(json::with_member(" { } ", "eol", "false") == R"({ "eol": false})");
    REQUIRE(json::with_member(R"({"a": "}"})", "eol", "true") == R"({"a": "}", "eol": true})");
    REQUIRE(json::quoted("\"\\\n\x01") == "\"\\\"\\\\\\n\\u0001\"");
}

TEST_CASE("a table gives way in its first column") {
    std::setlocale(LC_CTYPE, "C.UTF-8");
    table t({{"STREAM"}, {"N", true}});
    t.row({"a-rather-long-name", "1"});
    t.row({"é", "1,000"});
    REQUIRE(t.lines(80) == std::vector<std::string>{"STREAM                  N", "a-rather-long-name      1",
                                                    "é                   1,000"});
    REQUIRE(t.lines(16) == std::vector<std::string>{"STREAM         N", "a-rather…      1", "é          1,000"});
}

TEST_CASE("the summary counts lines, not pieces, and picks out what was asked for") {
    tally t;
    t.count("warnings=warn(ing)?:");
    t.current("file=([a-z]+)\\.o$");
    t.last("seen=[0-9]+");
    t.see({.eol = false, .data = "a long line's first "});
    t.see({.eol = true, .data = "part with a warning: 17"});
    t.see({.from = channel_of::standard_error, .data = "main.o"});
    REQUIRE(t.patch(5ms) ==
            R"({"state": "running", "exit_status": null, "signal": null, "lines": 2, "stderr_lines": 1, "bytes": 51, )"
            R"("elapsed_ms": 5, "warnings": 1, "file": "main", "seen": "17"})");
    REQUIRE(t.patch(6ms) == R"({"lines": 2, "bytes": 51, "elapsed_ms": 6})");
    REQUIRE(t.final_patch(7ms, {ending::kind::exited, 3}) ==
            R"({"state": "finished", "exit_status": 3, "lines": 2, "bytes": 51, "elapsed_ms": 7, "file": null})");
    for (char const *bad : {"warnings=x", "lines=x", "=x", "x", "y=("})
        REQUIRE_THROWS_AS(t.count(bad), failure);
}

TEST_CASE("a cursor file keeps every stream's position, whatever the name, and is replaced as a whole") {
    auto const dir = std::filesystem::temp_directory_path() / ("weir-cursor-" + std::to_string(std::random_device()()));
    std::filesystem::create_directory(dir);
    std::string const path = dir / "cursor";
    std::vector<std::string> const names = {"a", "with space", "new\nline", "\"quoted\"", "é"};
    {
        cursor_file f(path);
        for (std::size_t i = 0; i < names.size(); i++)
            f.set(names[i], weir::position(static_cast<std::int64_t>(i + 1) << 20));
        f.save();
    }
    cursor_file f(path);
    for (std::size_t i = 0; i < names.size(); i++)
        REQUIRE(f.find(names[i]) == weir::position(static_cast<std::int64_t>(i + 1) << 20));
    REQUIRE_FALSE(f.find("b"));
    REQUIRE(std::distance(std::filesystem::directory_iterator(dir), {}) == 1);
    std::ofstream(path) << "neither here nor there\n";
    REQUIRE_THROWS_AS(cursor_file(path), failure);
    std::filesystem::remove_all(dir);
}
