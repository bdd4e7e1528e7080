// SPDX-License-Identifier: PostgreSQL
#include "json_text.hpp"

#include <cstdint>

namespace weir::inline v0 {
namespace internal {

namespace {

void skip_blank(std::string_view &text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

bool take(std::string_view &text, char c) {
    skip_blank(text);
    if (text.empty() || text.front() != c)
        return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::uint32_t> hex4(std::string_view text) {
    if (text.size() < 4)
        return {};
    std::uint32_t value = 0;
    for (char c : text.substr(0, 4)) {
        int const digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0)
            return {};
        value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    return value;
}

void append_utf8(std::string &to, std::uint32_t c) {
    auto put = [&to](std::uint32_t byte) { to += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xc0 | (c >> 6));
        put(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        put(0xe0 | (c >> 12));
        put(0x80 | ((c >> 6) & 0x3f));
        put(0x80 | (c & 0x3f));
    } else {
        put(0xf0 | (c >> 18));
        put(0x80 | ((c >> 12) & 0x3f));
        put(0x80 | ((c >> 6) & 0x3f));
        put(0x80 | (c & 0x3f));
    }
}

// What follows "\u"; takes a pair of surrogates together.
bool take_unicode(std::string_view &rest, std::string &to) {
    auto c = hex4(rest);
    if (!c)
        return false;
    rest.remove_prefix(4);
    if (*c >= 0xd800 && *c < 0xdc00) {
        if (!rest.starts_with("\\u"))
            return false;
        auto const low = hex4(rest.substr(2));
        if (!low || *low < 0xdc00 || *low > 0xdfff)
            return false;
        rest.remove_prefix(6);
        c = 0x10000 + ((*c - 0xd800) << 10) + (*low - 0xdc00);
    } else if (*c >= 0xdc00 && *c <= 0xdfff) {
        return false;
    }
    append_utf8(to, *c);
    return true;
}

} // namespace

std::optional<std::string> take_json_string(std::string_view &text) {
    std::string_view rest = text;
    if (!take(rest, '"'))
        return {};
    std::string value;
    for (;;) {
        std::size_t const plain = rest.find_first_of("\"\\");
        if (plain == rest.npos)
            return {};
        value += rest.substr(0, plain);
        bool const ends = rest[plain] == '"';
        rest.remove_prefix(plain + 1);
        if (ends)
            break;
        if (rest.empty())
            return {};
        char const escape = rest.front();
        rest.remove_prefix(1);
        switch (escape) {
        case '"':
        case '\\':
        case '/':
            value += escape;
            break;
        case 'b':
            value += '\b';
            break;
        case 'f':
            value += '\f';
            break;
        case 'n':
            value += '\n';
            break;
        case 'r':
            value += '\r';
            break;
        case 't':
            value += '\t';
            break;
        case 'u':
            if (!take_unicode(rest, value))
                return {};
            break;
        default:
            return {};
        }
    }
    text = rest;
    return value;
}

bool for_each_member(std::string_view text, std::function<void(std::string_view, std::string_view)> const &f) {
    if (!take(text, '{'))
        return false;
    if (!take(text, '}')) {
        do {
            auto const name = take_json_string(text);
            if (!name || !take(text, ':'))
                return false;
            auto const value = take_json_string(text);
            if (!value)
                return false;
            f(*name, *value);
        } while (take(text, ','));
        if (!take(text, '}'))
            return false;
    }
    skip_blank(text);
    return text.empty();
}

} // namespace internal
} // namespace weir::inline v0
