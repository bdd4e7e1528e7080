// SPDX-License-Identifier: PostgreSQL
//
// Names by pattern: * stands for any run of characters, ? for any one, and \ takes
// its meaning from what follows. A pattern without any of them is a name.
//
// Characters are those of UTF-8; in another encoding ? stands for one byte.
#pragma once

#include "core/failure.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::core {

constexpr bool is_wild(char c) noexcept { return c == '*' || c == '?'; }

// False with errc::malformed where nothing follows a \.
constexpr bool check_glob(std::string_view pattern, failure &why) noexcept {
    why = failure{};
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '\\' && ++i == pattern.size()) {
            why.code = errc::malformed;
            compose(why.message, "a pattern must not end with a single \\");
            compose(why.hint, "Write \\\\ for a backslash.");
            return false;
        }
    }
    return true;
}

// Whether it can match more than one name.
constexpr bool is_glob(std::string_view pattern) noexcept {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '\\')
            ++i;
        else if (is_wild(pattern[i]))
            return true;
    }
    return false;
}

// What every match begins with, written into a buffer of at least the pattern's size; the
// whole name where it is no glob. Returns its length.
constexpr std::size_t glob_prefix(std::string_view pattern, char *out) noexcept {
    std::size_t used = 0;
    for (std::size_t i = 0; i < pattern.size() && !is_wild(pattern[i]); ++i) {
        if (pattern[i] == '\\' && ++i == pattern.size())
            break;
        out[used++] = pattern[i];
    }
    return used;
}

inline constexpr std::size_t glob_longest = 512; // names; a longer one matches only by prefix or as it is

namespace glob_detail {

// Places in a name: bit i is the one before its byte i.
inline constexpr std::size_t word_bits = 64;
inline constexpr std::size_t max_words = glob_longest / word_bits + 1;

struct places {
    std::uint64_t words[max_words];

    constexpr void clear(std::size_t used) noexcept {
        for (std::size_t w = 0; w < used; ++w)
            words[w] = 0;
    }
    constexpr void add(std::size_t i) noexcept { words[i / word_bits] |= std::uint64_t{1} << i % word_bits; }
    constexpr bool has(std::size_t i) const noexcept { return words[i / word_bits] >> i % word_bits & 1; }
};

constexpr bool is_continuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Every place reached so far steps over one byte, where that is among those given.
constexpr bool step(places &at, places const &over, std::size_t used) noexcept {
    std::uint64_t carried = 0, any = 0;
    for (std::size_t w = 0; w < used; ++w) {
        std::uint64_t const moved = at.words[w] & over.words[w];
        at.words[w] = moved << 1 | carried;
        carried = moved >> (word_bits - 1);
        any |= at.words[w];
    }
    return (any | carried) != 0;
}

// All places from the first one on, at which a character begins.
constexpr void run_on(places &at, places const &inside, std::size_t used) noexcept {
    bool begun = false;
    for (std::size_t w = 0; w < used; ++w) {
        std::uint64_t const here = at.words[w];
        std::uint64_t const from = begun ? ~std::uint64_t{0} : here | (~here + 1);
        begun = begun || here != 0;
        at.words[w] = (from & ~inside.words[w]) | here;
    }
}

// Over the rest of a character that was begun: up to three bytes in UTF-8.
constexpr void finish_character(places &at, places const &inside, std::size_t used) noexcept {
    for (int more = 0; more < 3; ++more) {
        std::uint64_t carried = 0;
        for (std::size_t w = 0; w < used; ++w) {
            std::uint64_t const moved = at.words[w] & inside.words[w];
            at.words[w] = (at.words[w] & ~inside.words[w]) | moved << 1 | carried;
            carried = moved >> (word_bits - 1);
        }
    }
}

// All places that the pattern can have come to are kept at once, so nothing is tried twice.
constexpr bool match(std::string_view pattern, std::string_view name) noexcept {
    std::size_t const used = name.size() / word_bits + 1;
    places where[256]; // of each byte value in the pattern
    bool wanted[256] = {};
    for (char c : pattern) {
        auto const value = static_cast<unsigned char>(c);
        wanted[value] = true;
        where[value].clear(used);
    }
    places at, all, inside;
    at.clear(used);
    all.clear(used);
    inside.clear(used);
    for (std::size_t i = 0; i < name.size(); ++i) {
        auto const value = static_cast<unsigned char>(name[i]);
        all.add(i);
        if (wanted[value])
            where[value].add(i);
        if (is_continuation(name[i]))
            inside.add(i);
    }
    bool long_characters = false;
    for (std::size_t w = 0; w < used; ++w)
        long_characters = long_characters || inside.words[w] != 0;
    at.add(0);
    for (std::size_t p = 0; p < pattern.size(); ++p) {
        if (pattern[p] == '*') {
            run_on(at, inside, used);
        } else if (pattern[p] == '?') {
            if (!step(at, all, used))
                return false;
            if (long_characters)
                finish_character(at, inside, used);
        } else {
            if (pattern[p] == '\\' && p + 1 < pattern.size())
                ++p;
            if (!step(at, where[static_cast<unsigned char>(pattern[p])], used))
                return false;
        }
    }
    return at.has(name.size());
}

} // namespace glob_detail

// What is alike up to the first wildcard is compared as it is, as is all that most patterns
// need; for the rest, in time of the pattern times the name's 64-byte words.
constexpr bool glob_matches(std::string_view pattern, std::string_view name) noexcept {
    std::size_t p = 0, n = 0;
    for (; p < pattern.size() && !is_wild(pattern[p]); ++p, ++n) {
        if (pattern[p] == '\\' && p + 1 < pattern.size())
            ++p;
        if (n == name.size() || pattern[p] != name[n])
            return false;
    }
    pattern.remove_prefix(p);
    name.remove_prefix(n);
    if (pattern.find_first_not_of('*') == std::string_view::npos)
        return pattern.empty() ? name.empty() : true;
    return name.size() <= glob_longest && glob_detail::match(pattern, name);
}

} // namespace weir::core
