// SPDX-License-Identifier: PostgreSQL
//
// Claim: a glob matches exactly the names that its characters stand for; the prefix is
// one of every match; and no pattern takes more than microseconds, however many stars it has.
#include "catch.hpp"

#include "core/glob.hpp"

#include <ctime>
#include <random>
#include <string>

using namespace weir::core;

namespace {

bool matches(std::string_view pattern, std::string_view name) { return glob_matches(pattern, name); }

std::string prefix_of(std::string_view pattern) {
    std::string buffer(pattern.size() + 1, '#');
    buffer.resize(glob_prefix(pattern, buffer.data()));
    return buffer;
}

// By the definition, in exponential time; bytes are characters.
bool matches_by_definition(std::string_view p, std::string_view n) {
    if (p.empty())
        return n.empty();
    if (p[0] == '*') {
        for (std::size_t i = 0; i <= n.size(); ++i) {
            if (matches_by_definition(p.substr(1), n.substr(i)))
                return true;
        }
        return false;
    }
    if (n.empty())
        return false;
    if (p[0] == '?')
        return matches_by_definition(p.substr(1), n.substr(1));
    if (p[0] == '\\' && p.size() > 1)
        p.remove_prefix(1);
    return p[0] == n[0] && matches_by_definition(p.substr(1), n.substr(1));
}

} // namespace

TEST_CASE("a name matches itself alone") {
    CHECK(matches("orders", "orders"));
    CHECK_FALSE(matches("orders", "orders2"));
    CHECK_FALSE(matches("orders", "order"));
    CHECK_FALSE(matches("orders", "Orders"));
    CHECK(matches("", ""));
    CHECK_FALSE(matches("", "x"));
    CHECK_FALSE(is_glob("orders"));
    CHECK(prefix_of("orders") == "orders");
}

TEST_CASE("* stands for any run, ? for one character, \\ for what follows") {
    CHECK(matches("*", ""));
    CHECK(matches("*", "anything at all"));
    CHECK(matches("orders.*", "orders."));
    CHECK(matches("orders.*", "orders.eu.new"));
    CHECK_FALSE(matches("orders.*", "orders"));
    CHECK(matches("*.new", "orders.eu.new"));
    CHECK(matches("a*b*c", "abbcbc"));
    CHECK_FALSE(matches("a*b*c", "abbcb"));
    CHECK(matches("?", "x"));
    CHECK_FALSE(matches("?", ""));
    CHECK_FALSE(matches("?", "xy"));
    CHECK(matches("a?c", "abc"));
    CHECK(matches("\\*", "*"));
    CHECK_FALSE(matches("\\*", "x"));
    CHECK(matches("a\\?b", "a?b"));
    CHECK(matches("a\\\\b", "a\\b"));
    CHECK(matches("\\a", "a"));
    CHECK(matches("*\\**", "a*b"));
    CHECK_FALSE(matches("*\\**", "ab"));
    CHECK(is_glob("a*"));
    CHECK(is_glob("?"));
    CHECK_FALSE(is_glob("a\\*\\?"));
    CHECK(is_glob("\\\\*"));
}

TEST_CASE("a character is one of UTF-8, whatever its bytes are") {
    CHECK(matches("?", "\xC3\xBC"));
    CHECK(matches("a?b", "a\xE4\xB8\xAD"
                         "b"));
    CHECK_FALSE(matches("??", "\xC3\xBC"));
    CHECK(matches("*\xBC", "\xC3\xBC") == false);
    CHECK(matches("\xC3\xBC*", "\xC3\xBCx"));
    // Broken sequences do no harm.
    CHECK(matches("*", "\xBC\xBC\xC3"));
    CHECK(matches("?*", "\xC3"));
}

TEST_CASE("the prefix is what every match begins with") {
    CHECK(prefix_of("orders.*") == "orders.");
    CHECK(prefix_of("a\\*b*c") == "a*b");
    CHECK(prefix_of("?x").empty());
    CHECK(prefix_of("*").empty());
    CHECK(prefix_of("a\\\\") == "a\\");
}

TEST_CASE("a pattern may not end with a single \\") {
    failure why;
    CHECK(check_glob("a\\\\", why));
    CHECK(check_glob("", why));
    CHECK_FALSE(check_glob("a\\", why));
    CHECK(why.code == errc::malformed);
    CHECK_FALSE(check_glob("\\\\\\", why));
}

TEST_CASE("any pattern agrees with the definition") {
    std::mt19937 random(4711);
    std::string const in_patterns = "ab*?\\", in_names = "ab*?\\";
    for (int i = 0; i < 200000; ++i) {
        std::string pattern, name;
        for (unsigned n = random() % 7; n > 0; --n)
            pattern += in_patterns[random() % in_patterns.size()];
        for (unsigned n = random() % 7; n > 0; --n)
            name += in_names[random() % in_names.size()];
        failure why;
        if (!check_glob(pattern, why))
            continue;
        bool const expected = matches_by_definition(pattern, name);
        if (matches(pattern, name) != expected)
            FAIL(pattern << " against " << name);
        if (expected && name.compare(0, prefix_of(pattern).size(), prefix_of(pattern)) != 0)
            FAIL("prefix of " << pattern);
        if (expected && !is_glob(pattern) && prefix_of(pattern) != name)
            FAIL("name of " << pattern);
    }
}

// Names of characters of one to three bytes, so long that they take several words.
TEST_CASE("a long name of long characters agrees with the definition") {
    std::mt19937 random(4712);
    char const *const characters[] = {"a", "b", "\xC3\xBC", "\xE4\xB8\xAD"};
    for (int i = 0; i < 20000; ++i) {
        std::string pattern, name, short_pattern, short_name;
        unsigned const filling = random() % 300; // in front of what the definition is asked about
        for (unsigned n = 0; n < filling; ++n)
            name += characters[random() % 4];
        for (unsigned n = random() % 7; n > 0; --n) {
            unsigned const one = random() % 6;
            pattern += one < 4 ? characters[one] : one == 4 ? "*" : "?";
            short_pattern += one < 4 ? static_cast<char>('a' + one) : one == 4 ? '*' : '?';
        }
        for (unsigned n = random() % 7; n > 0; --n) {
            unsigned const one = random() % 4;
            name += characters[one];
            short_name += static_cast<char>('a' + one);
        }
        bool const expected = matches_by_definition("\n" + short_pattern, "\n" + short_name);
        std::string const before = "*\n", all = name.substr(0, name.size());
        // A mark that is nowhere else takes the first star to the end of the filling.
        std::string marked = all;
        std::size_t at = 0;
        for (unsigned n = 0; n < filling; ++at)
            n += at + 1 == all.size() || (static_cast<unsigned char>(all[at + 1]) & 0xC0) != 0x80;
        marked.insert(at, "\n");
        if (marked.size() > glob_longest)
            continue;
        if (matches(before + pattern, marked) != expected)
            FAIL(pattern << " against " << short_name << " behind " << filling << " characters");
    }
}

TEST_CASE("many stars over long names take microseconds") {
    std::string const name(512, 'a');
    std::string stars, questions, halves = "*" + std::string(250, 'a') + "b*" + std::string(250, 'a') + "b";
    while (stars.size() < 510)
        stars += "a*";
    while (questions.size() < 510)
        questions += "*?";
    std::string const patterns[] = {stars + "b", questions + "b", halves};
    for (std::string const &pattern : patterns) {
        constexpr int rounds = 1000;
        std::clock_t const start = std::clock(); // of this process: the machine may be busy
        for (int i = 0; i < rounds; ++i)
            CHECK_FALSE(matches(pattern, name));
        double const each = static_cast<double>(std::clock() - start) * 1e6 / CLOCKS_PER_SEC / rounds;
        INFO(pattern.substr(0, 8) << ": " << each << " us each");
        CHECK(each < 200); // 10 at -O2 alone; the sanitizers take their share
    }
    CHECK(matches(questions + "*", name));
}
