// SPDX-License-Identifier: PostgreSQL
//
// Merge patch in the words of RFC 7396 section 2, on JSON trees: what the
// core is measured against. Slow, naive and short on purpose.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace weir::test::oracle {

using json = nlohmann::json;
using sentinel = std::optional<std::string>;

inline bool stands_for_null(json const &v, sentinel const &s) { return s && v.is_string() && v == *s; }

inline json substituted(json v, sentinel const &s) {
    if (stands_for_null(v, s))
        return nullptr;
    if (v.is_structured())
        for (json &child : v)
            child = substituted(child, s);
    return v;
}

inline json apply(json target, json const &patch, sentinel const &s = {}) {
    if (!patch.is_object())
        return substituted(patch, s);
    if (!target.is_object())
        target = json::object();
    for (auto const &[key, v] : patch.items()) {
        if (v.is_null())
            target.erase(key);
        else
            target[key] = apply(target.contains(key) ? target[key] : json(), v, s);
    }
    return target;
}

inline bool holds(json const &v, sentinel const &s) {
    if (stands_for_null(v, s))
        return true;
    if (v.is_structured())
        for (json const &child : v)
            if (holds(child, s))
                return true;
    return false;
}

// The patch from one document to another; none where the RFC has none.
inline std::optional<json> diff(json const &from, json const &to, sentinel const &s = {}) {
    if (!to.is_object())
        return holds(to, s) ? std::optional<json>() : to;
    json patch = json::object();
    if (from.is_object())
        for (auto const &[key, v] : from.items())
            if (!to.contains(key))
                patch[key] = nullptr;
    for (auto const &[key, v] : to.items()) {
        bool const known = from.is_object() && from.contains(key);
        if (known && from[key] == v)
            continue;
        if (v.is_null()) {
            if (!s)
                return {};
            patch[key] = *s;
            continue;
        }
        auto const inner = diff(known ? from[key] : json(), v, s);
        if (!inner)
            return {};
        patch[key] = *inner;
    }
    return patch;
}

// The patch that does what a and then b do; none where there is none.
inline std::optional<json> compose(json const &a, json const &b) {
    if (!b.is_object())
        return b;
    if (!a.is_object())
        return {};
    json both = a;
    for (auto const &[key, v] : b.items()) {
        if (!a.contains(key)) {
            both[key] = v;
            continue;
        }
        auto const inner = compose(a[key], v);
        if (!inner)
            return {};
        both[key] = *inner;
    }
    return both;
}

} // namespace weir::test::oracle
