// SPDX-License-Identifier: PostgreSQL
//
// Names by pattern: * stands for any run of characters, ? for any one, and \ takes
// its meaning from what follows. A pattern without any of them is a name.
//
// Characters are those of UTF-8; in another encoding ? stands for one byte.
#pragma once

#include "core/failure.hpp"

#include <cstddef>
#include <string_view>

namespace weir::core {

constexpr bool is_wild(char c) noexcept { return c == '*' || c == '?'; }

// False with errc::malformed where nothing follows a \.
constexpr bool check_glob(std::string_view pattern, failure &why) noexcept {
    why = failure{};
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '\\' && ++i == pattern.size()) {
            why.code = errc::malformed;
            compose(why.message, "a topic pattern must not end with a single \\");
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

// In time of the product of the lengths at the most, and without recursion: after a
// mismatch only the last * is tried further on.
constexpr bool glob_matches(std::string_view pattern, std::string_view name) noexcept {
    constexpr std::size_t none = static_cast<std::size_t>(-1);
    auto next_character = [&](std::size_t at) {
        do
            ++at;
        while (at < name.size() && (static_cast<unsigned char>(name[at]) & 0xC0) == 0x80);
        return at;
    };
    std::size_t p = 0, n = 0;
    std::size_t star = none, resume = 0;
    for (;;) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            resume = n;
            continue;
        }
        if (p == pattern.size() && n == name.size())
            return true;
        bool matched = false;
        if (p < pattern.size() && n < name.size()) {
            if (pattern[p] == '?') {
                ++p;
                n = next_character(n);
                matched = true;
            } else {
                std::size_t const literal = pattern[p] == '\\' && p + 1 < pattern.size() ? p + 1 : p;
                if (pattern[literal] == name[n]) {
                    p = literal + 1;
                    ++n;
                    matched = true;
                }
            }
        }
        if (matched)
            continue;
        if (star == none || resume == name.size())
            return false;
        p = star;
        n = resume = next_character(resume);
    }
}

} // namespace weir::core
