// SPDX-License-Identifier: PostgreSQL
//
// weir create and weir alter: what belongs to a stream.
#include "shell/exit.hpp"
#include "verbs/verb.hpp"
#include "weir/stream.hpp"

#include <algorithm>
#include <limits>

namespace weir::command {

namespace {

struct properties {
    std::string null_sentinel = {}, expires_at = {};
    std::optional<std::chrono::milliseconds> frame_ttl = {}, max_age = {}, hold_age = {}, ttl = {};
    std::optional<std::int64_t> maxlen_floor = {}, maxlen_ceiling = {}, max_frame_bytes = {};
    std::optional<std::int64_t> max_frames = {}, hold_frames = {};
    std::optional<double> rate_alpha = {};

    void add_to(arguments &verb);
    stream_properties taken(connection &db) const;
};

void properties::add_to(arguments &verb) {
    verb.duration("--max-age", max_age, "Retention: frames older than that go (30d)");
    verb.number("--max-frames", max_frames, 1, "Retention: all but the newest so many go");
    verb.duration("--hold-age", hold_age, "The same bound for what a subscription with --hold has not acknowledged");
    verb.number("--hold-frames", hold_frames, 1, "Likewise");
    verb.duration("--ttl", ttl, "The stream ends so long after its last append");
    verb.text("--expires-at", expires_at, "TIME", "The stream ends then, such as \"tomorrow 9:00\"");
    verb.number("--max-frame-bytes", max_frame_bytes, 1, "Larger frames are refused");
    verb.duration("--frame-ttl", frame_ttl, "How long best-effort frames are kept");
    verb.number("--maxlen-floor", maxlen_floor, 1, "So many of them are kept at the least");
    verb.number("--maxlen-ceiling", maxlen_ceiling, 1, "And at the most");
    verb.real("--rate-alpha", rate_alpha, "How fast the rate that this goes by follows");
    verb.text("--null-sentinel", null_sentinel, "TEXT", "Stands for JSON null in patches; set for good");
}

std::optional<int> narrowed(std::optional<std::int64_t> const &n) {
    // What is larger still is the server's to refuse.
    return n ? std::optional(static_cast<int>(std::min<std::int64_t>(*n, std::numeric_limits<int>::max())))
             : std::nullopt;
}

stream_properties properties::taken(connection &db) const {
    return {.null_sentinel = null_sentinel.empty() ? std::nullopt : std::optional<std::string_view>(null_sentinel),
            .frame_ttl = frame_ttl,
            .maxlen_floor = narrowed(maxlen_floor),
            .maxlen_ceiling = narrowed(maxlen_ceiling),
            .rate_alpha = rate_alpha,
            .max_frame_bytes = narrowed(max_frame_bytes),
            .max_age = max_age,
            .max_frames = max_frames,
            .hold_age = hold_age,
            .hold_frames = hold_frames,
            .ttl = ttl,
            .expires_at = expires_at.empty() ? std::nullopt : std::optional(time_at(db, expires_at))};
}

struct create_verb {
    std::string stream = {};
    properties given = {};

    int operator()(command &all) const {
        connection db = all.server.connect();
        if (!weir::stream(db, stream).create(given.taken(db)))
            throw failure(refused, "stream \"" + stream + "\" exists already", "Change it with weir alter.");
        return done;
    }
};

struct alter_verb {
    std::string stream = {};
    std::vector<std::string> reset = {};
    properties given = {};

    int operator()(command &all) const {
        connection db = all.server.connect();
        std::vector<std::string> names = reset;
        for (std::string &name : names)
            std::replace(name.begin(), name.end(), '-', '_');
        weir::stream(db, stream).alter(given.taken(db), names);
        return done;
    }
};

} // namespace

void add_create(command &all) {
    auto o = std::make_shared<create_verb>();
    arguments verb(all.line, "create", "Create a stream before its first frame, to give it properties",
                   R"(weir create orders --max-age 30d --hold-age 90d
weir create chat/4711 --ttl 12h
weir create sale --expires-at '2026-12-01 00:00+01')");
    verb.required("STREAM", o->stream, "The stream");
    o->given.add_to(verb);
    all.run_by(verb, o);
}

void add_alter(command &all) {
    auto o = std::make_shared<alter_verb>();
    arguments verb(all.line, "alter", "Change properties of a stream", R"(weir alter orders --max-frames 1000000
weir alter orders --reset max-age --reset max-frames       all stay again)");
    verb.required("STREAM", o->stream, "The stream");
    verb.texts("--reset", o->reset, "PROPERTY", "Give this one its default; may be given more than once");
    o->given.add_to(verb);
    all.run_by(verb, o);
}

} // namespace weir::command
