// SPDX-License-Identifier: PostgreSQL
//
// JSON trees and text to jsonb containers and back, for tests. The way in does
// not share code with the core's writer: it lays out bytes on its own, after
// the format's description, and jsonb_vectors.txt holds what a server made of
// the same text. Numbers: decimal integers and fractions without exponent.
#pragma once

#include "core/jsonb.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace weir::test {

using json = nlohmann::json;
using bytes = std::vector<std::byte>;

namespace text_detail {

inline void append(bytes &out, void const *from, std::size_t n) {
    auto const *p = static_cast<std::byte const *>(from);
    out.insert(out.end(), p, p + n);
}

// A numeric as the server stores it: groups of four decimal digits.
inline bytes numeric_of(std::string text) {
    bool const negative = !text.empty() && text[0] == '-';
    if (negative)
        text.erase(0, 1);
    if (text.find_first_not_of("0123456789.") != std::string::npos)
        throw std::invalid_argument("number out of the tests' subset: " + text);
    std::size_t const dot = text.find('.');
    std::string whole = text.substr(0, dot);
    std::string fraction = dot == std::string::npos ? "" : text.substr(dot + 1);
    int const scale = static_cast<int>(fraction.size());
    while (whole.size() % 4 != 0)
        whole.insert(0, "0");
    while (fraction.size() % 4 != 0)
        fraction += '0';
    int weight = static_cast<int>(whole.size()) / 4 - 1;
    std::vector<std::int16_t> groups;
    std::string const all = whole + fraction;
    for (std::size_t i = 0; i < all.size(); i += 4)
        groups.push_back(static_cast<std::int16_t>(std::stoi(all.substr(i, 4))));
    while (!groups.empty() && groups.front() == 0) {
        groups.erase(groups.begin());
        --weight;
    }
    while (!groups.empty() && groups.back() == 0)
        groups.pop_back();
    if (groups.empty())
        weight = 0;
    bool const minus = negative && !groups.empty();
    if (scale > 63 || weight < -64 || weight > 63)
        throw std::invalid_argument("number out of the tests' subset");
    auto const header = static_cast<std::uint16_t>(0x8000 | (minus ? 0x2000 : 0) | (scale << 7) | (weight & 0x7F));
    auto const size = static_cast<std::uint32_t>(4 + 2 + 2 * groups.size()) << 2;
    bytes out;
    append(out, &size, 4);
    append(out, &header, 2);
    if (!groups.empty())
        append(out, groups.data(), 2 * groups.size());
    return out;
}

inline std::string text_of_numeric(core::jsonb::value const &v) {
    std::uint16_t header = 0;
    std::memcpy(&header, v.data + 4, 2);
    int const weight = (header & 0x40) != 0 ? (header & 0x3F) - 64 : header & 0x3F;
    int const scale = (header >> 7) & 0x3F;
    int const count = (static_cast<int>(v.size) - 6) / 2;
    auto group = [&](int i) {
        std::int16_t g = 0;
        if (i >= 0 && i < count)
            std::memcpy(&g, v.data + 6 + 2 * i, 2);
        std::string s = std::to_string(g);
        return std::string(4 - s.size(), '0') + s;
    };
    std::string whole;
    for (int i = 0; i <= weight; ++i)
        whole += group(i);
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
    std::string fraction;
    for (int i = weight + 1; static_cast<int>(fraction.size()) < scale; ++i)
        fraction += i < 0 ? "0000" : group(i);
    fraction.resize(static_cast<std::size_t>(scale));
    return std::string((header & 0x2000) != 0 ? "-" : "") + (whole.empty() ? "0" : whole) +
           (scale > 0 ? "." + fraction : "");
}

struct part {
    std::uint32_t type;
    bytes data; // aligned types: without the padding in front
    bool aligned;
};

bytes container_of(json const &tree);

inline part part_of(json const &v) {
    switch (v.type()) {
    case json::value_t::null:
        return {0x40000000, {}, false};
    case json::value_t::boolean:
        return {v.get<bool>() ? 0x30000000U : 0x20000000U, {}, false};
    case json::value_t::string: {
        part p{0, {}, false};
        append(p.data, v.get_ref<std::string const &>().data(), v.get_ref<std::string const &>().size());
        return p;
    }
    case json::value_t::object:
    case json::value_t::array:
        return {0x50000000, container_of(v), true};
    default:
        return {0x10000000, numeric_of(v.dump()), true};
    }
}

inline bytes lay_out(std::uint32_t header, std::vector<part> const &parts) {
    bytes out;
    append(out, &header, 4);
    std::size_t const start = 4 + 4 * parts.size();
    out.resize(start);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        std::size_t const before = out.size();
        if (parts[i].aligned)
            out.resize((out.size() + 3) / 4 * 4);
        out.insert(out.end(), parts[i].data.begin(), parts[i].data.end());
        std::size_t const field = i % 32 == 0 ? out.size() - start : out.size() - before;
        auto const entry = static_cast<std::uint32_t>(parts[i].type | field | (i % 32 == 0 ? 0x80000000U : 0));
        std::memcpy(out.data() + 4 + 4 * i, &entry, 4);
    }
    return out;
}

inline bytes container_of(json const &tree) {
    std::vector<part> parts;
    if (tree.is_array()) {
        for (json const &element : tree)
            parts.push_back(part_of(element));
        return lay_out(0x40000000U | static_cast<std::uint32_t>(tree.size()), parts);
    }
    if (!tree.is_object())
        return lay_out(0x50000001U, {part_of(tree)});
    std::vector<std::string> keys;
    for (auto const &[key, member] : tree.items())
        keys.push_back(key);
    std::sort(keys.begin(), keys.end(), [](std::string const &a, std::string const &b) {
        return a.size() != b.size() ? a.size() < b.size() : a < b;
    });
    for (std::string const &key : keys)
        parts.push_back(part_of(json(key)));
    for (std::string const &key : keys)
        parts.push_back(part_of(tree[key]));
    return lay_out(0x20000000U | static_cast<std::uint32_t>(tree.size()), parts);
}

inline json tree_of(core::jsonb::value const &v) {
    using core::jsonb::kind;
    switch (v.type) {
    case kind::null:
        return nullptr;
    case kind::boolean_false:
        return false;
    case kind::boolean_true:
        return true;
    case kind::string:
        return std::string(v.text());
    case kind::numeric:
        return json::parse(text_of_numeric(v));
    case kind::container:
        break;
    }
    if (v.is_object()) {
        json out = json::object();
        core::jsonb::object_reader reader(v);
        std::string_view key;
        for (core::jsonb::value member{}; reader.next(key, member);)
            out[std::string(key)] = tree_of(member);
        return out;
    }
    json out = json::array();
    core::jsonb::array_reader reader(v);
    for (core::jsonb::value element{}; reader.next(element);)
        out.push_back(tree_of(element));
    return out;
}

} // namespace text_detail

// A root container, as the server would make it.
inline bytes to_jsonb(json const &tree) { return text_detail::container_of(tree); }
inline bytes to_jsonb(char const *text) { return to_jsonb(json::parse(text)); }

inline json to_json(core::jsonb_bytes container) { return text_detail::tree_of(core::jsonb::root_of(container)); }

} // namespace weir::test
