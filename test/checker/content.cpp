// SPDX-License-Identifier: PostgreSQL
//
// Frames from keys and back. See content.hpp.

#include "content.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>

namespace checker {

std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

json json::of(std::int64_t n) {
    json j;
    j.is = type::number;
    j.number = n;
    return j;
}

json json::of(std::string s) {
    json j;
    j.is = type::string;
    j.string = std::move(s);
    return j;
}

json json::object() {
    json j;
    j.is = type::object;
    return j;
}

static std::string quoted(const std::string &s) {
    std::string out = "\"";
    for (char c : s) {
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            if (static_cast<unsigned char>(c) < ' ') {
                char escape[8];
                std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
                out += escape;
            } else {
                out += c;
            }
        }
    }
    return out + '"';
}

std::string json::text() const {
    switch (is) {
    case type::null:
        return "null";
    case type::number:
        return std::to_string(number);
    case type::string:
        return quoted(string);
    case type::object:
        break;
    }
    std::string out = "{";
    for (const auto &[name, value] : members) {
        if (out.size() > 1)
            out += ", ";
        out += quoted(name) + ": " + value.text();
    }
    return out + "}";
}

// RFC 7396, section 2; the sentinel then becomes a null that stays.
void merge_patch(json &target, const json &patch) {
    if (patch.is != json::type::object) {
        target = patch.is == json::type::string && patch.string == null_sentinel ? json{} : patch;
        return;
    }
    if (target.is != json::type::object)
        target = json::object();
    for (const auto &[name, value] : patch.members) {
        if (value.is == json::type::null)
            target.members.erase(name);
        else
            merge_patch(target.members[name], value);
    }
}

// "k" is in every patch, so that the fold also shows which patch came last.
json patch_of(frame_key key) {
    std::uint64_t r = mix(key ^ 0x7061746368);
    auto next = [&r](unsigned n) {
        r = mix(r);
        return static_cast<unsigned>(r >> 16) % n;
    };
    auto leaf = [&next] {
        switch (next(6)) {
        case 0:
            return json{};
        case 1:
            return json::of(std::string(null_sentinel));
        case 2:
            return json::of("s\"" + std::to_string(next(100)));
        default:
            return json::of(static_cast<std::int64_t>(next(1000000)) - 500000);
        }
    };
    json patch = json::object();
    patch.members["k"] = json::of(static_cast<std::int64_t>(key));
    for (unsigned n = next(4); n > 0; --n) {
        std::string name = "m" + std::to_string(10 + next(12));
        if (next(2)) {
            json inner = json::object();
            for (unsigned m = next(4); m > 0; --m)
                inner.members[std::string(2, static_cast<char>('a' + next(4)))] = leaf();
            patch.members[name] = inner;
        } else {
            patch.members[name] = leaf();
        }
    }
    return patch;
}

// Mostly short; some long enough to be TOASTed. Hex of noise does not compress away.
static std::string padding(std::uint64_t r) {
    unsigned pick = r % 100, size = pick < 90 ? r >> 8 & 63 : pick < 99 ? 2500 : 20000;
    std::string out;
    while (out.size() < size) {
        char word[24];
        std::snprintf(word, sizeof word, "%016llx", static_cast<unsigned long long>(r = mix(r)));
        out += word;
    }
    out.resize(size);
    return out;
}

content content_of(frame_key key) {
    static constexpr const char *types[] = {"tick", "trade", "note"};
    content c;
    std::uint64_t r = mix(key);
    if (in_batch(key))
        c.type = "batch";
    else if (unsigned t = r & 3; t < 3)
        c.type = types[t];
    if (!in_batch(key) && (r >> 2 & 1))
        c.headers = "{\"n\": " + std::to_string(r >> 3 & 7) + "}";
    std::string pad = padding(mix(r));
    c.mode = is_best_effort(key) ? "best_effort" : is_patch(key) ? "summary" : "durable";
    switch (kind_of(key)) {
    case frame_kind::json:
    case frame_kind::best_effort_json: {
        json j = json::object();
        j.members["k"] = json::of(static_cast<std::int64_t>(key));
        j.members["pad"] = json::of(pad);
        c.argument = *(c.payload = j.text());
        break;
    }
    case frame_kind::patch:
        c.argument = *(c.payload = patch_of(key).text());
        break;
    case frame_kind::text:
    case frame_kind::best_effort_text:
        c.argument = "k:" + std::to_string(key) + ":\"\\\n\t\x01\xc3\xa9" + pad;
        c.payload = json::of(c.argument).text();
        break;
    case frame_kind::bytes:
    case frame_kind::best_effort_bytes: {
        // the key, then NUL and what is not UTF-8
        char head[32];
        std::snprintf(head, sizeof head, "\\x%016llx00ff", static_cast<unsigned long long>(key));
        c.argument = *(c.bytes = head + pad.substr(0, pad.size() / 2 * 2));
        break;
    }
    }
    return c;
}

std::optional<frame_key> key_in(const char *payload, const char *bytes) {
    frame_key key = 0;
    const char *start = nullptr;
    int base = 10;
    if (payload && std::strncmp(payload, "{\"k\": ", 6) == 0)
        start = payload + 6;
    else if (payload && std::strncmp(payload, "\"k:", 3) == 0)
        start = payload + 3;
    else if (bytes && std::strlen(bytes) >= 18)
        start = bytes + 2, base = 16;
    if (!start)
        return {};
    const char *end = base == 16 ? start + 16 : start + std::strlen(start);
    auto parsed = std::from_chars(start, end, key, base);
    if (parsed.ec != std::errc{})
        return {};
    return key;
}

} // namespace checker
