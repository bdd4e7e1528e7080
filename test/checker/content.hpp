// SPDX-License-Identifier: PostgreSQL
//
// What a frame of the checker contains.
//
// Everything about a frame (stream, mode, type, headers, payload) is a function of
// its 64-bit key, and the key can be read back from the payload. So a reader can
// judge a frame by itself, without a table shared with the writers, and a torn,
// swapped or doctored payload never passes for another frame's.
//
// `json` is the little of JSON that patches need: an independent RFC 7396 fold to
// hold the server's summary against, printed the way jsonb prints.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace checker {

using frame_key = std::uint64_t;

enum class frame_kind : unsigned { json, text, bytes, patch, best_effort_json, best_effort_text, best_effort_bytes };

// serial in the high bits, 8 bits of stream, 1 bit for frames that share type and
// headers with others of their call, 3 bits of kind
constexpr frame_key make_key(std::uint64_t serial, unsigned stream, frame_kind kind, bool batch) {
    return serial << 12 | frame_key{stream} << 4 | frame_key{batch} << 3 | static_cast<frame_key>(kind);
}
constexpr unsigned stream_of(frame_key key) { return key >> 4 & 0xff; }
constexpr bool in_batch(frame_key key) { return key >> 3 & 1; }
constexpr frame_kind kind_of(frame_key key) { return static_cast<frame_kind>(key & 7); }
constexpr bool is_best_effort(frame_key key) { return kind_of(key) >= frame_kind::best_effort_json; }
constexpr bool is_patch(frame_key key) { return kind_of(key) == frame_kind::patch; }

std::uint64_t mix(std::uint64_t x); // splitmix64

// Shorter keys first, then bytewise: the order in which jsonb keeps and prints them.
struct jsonb_order {
    bool operator()(const std::string &a, const std::string &b) const {
        return a.size() != b.size() ? a.size() < b.size() : a < b;
    }
};

struct json {
    enum class type { null, number, string, object };
    type is = type::null;
    std::int64_t number = 0;
    std::string string;
    std::map<std::string, json, jsonb_order> members;

    static json of(std::int64_t n);
    static json of(std::string s);
    static json object();
    std::string text() const;
};

constexpr const char *null_sentinel = "__weir_null__";

void merge_patch(json &target, const json &patch);

struct content {
    std::string mode;
    std::optional<std::string> type, headers;
    std::string argument;                      // as passed to append…()
    std::optional<std::string> payload, bytes; // as read() prints them
};

content content_of(frame_key key);
json patch_of(frame_key key);

// The key in a delivered payload; nothing where there is none.
std::optional<frame_key> key_in(const char *payload, const char *bytes);

} // namespace checker
