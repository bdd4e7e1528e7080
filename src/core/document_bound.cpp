// SPDX-License-Identifier: PostgreSQL
#include "core/document_bound.hpp"

namespace weir::core {

namespace {

constexpr int max_levels = 1024; // that are walked; below, every child counts as padded
constexpr std::int64_t max_padding = 3;

std::int64_t padded_below(jsonb::value const &v, int levels) noexcept {
    if (levels == 0)
        return v.size / 4; // a child takes an entry of 4 bytes
    std::int64_t padded = 0;
    auto count = [&](jsonb::value const &child) noexcept {
        if (child.is_container())
            padded += 1 + padded_below(child, levels - 1);
        else
            padded += child.type == jsonb::kind::numeric;
    };
    jsonb::value child{};
    if (v.is_object()) {
        std::string_view key;
        for (jsonb::object_reader members(v); members.next(key, child);)
            count(child);
    } else {
        for (jsonb::array_reader elements(v); elements.next(child);)
            count(child);
    }
    return padded;
}

} // namespace

std::int64_t measure(jsonb_bytes bytes) noexcept {
    jsonb::value const root{jsonb::kind::container, static_cast<std::uint32_t>(bytes.size()), bytes.data()};
    return static_cast<std::int64_t>(bytes.size() + jsonb_result::header_size) +
           max_padding * padded_below(root, max_levels);
}

} // namespace weir::core
