// SPDX-License-Identifier: PostgreSQL
//
// What a caller asks for, checked once at the edge: nothing behind it looks at
// an argument again.
#pragma once

#include "pg/pg.hpp"

#include "lease/fence.hpp"
#include "stream/frame.hpp"

namespace weir::stream {

enum class form { json, text, bytes }; // what the payload argument is

struct live_settings {
    int32 ttl_ms;
    int32 maxlen_floor;
    int32 maxlen_ceiling;
    double ema_alpha;
};

struct request {
    std::string_view name;
    enum mode mode; // durable, summary or replace; best_effort overrides
    bool best_effort;
    bool bytes; // values are bytea, else jsonb
    int count;
    Datum *values; // detoasted
    NullableDatum type;
    NullableDatum headers;
    NullableDatum *types;        // of each frame, where they differ; else nullptr, and type is that of all
    NullableDatum *headers_each; // likewise
    NullableDatum key;           // of idempotency
    lease::fence fence;
    int64 growth; // of the document, by a patch; in units of its bound
    live_settings live;
};

[[noreturn]] void null_argument(const char *name);

// A name: not NULL, not blank, not too long. called: the argument, what: what it names
std::string_view name_argument(FunctionCallInfo fcinfo, int n, const char *called = "stream",
                               const char *what = "stream name");
void check_name(std::string_view name, const char *what = "stream name");

// The name of what is to be written: not one of weir's own either.
std::string_view target_argument(FunctionCallInfo fcinfo, int n, const char *called = "stream",
                                 const char *what = "stream name");

// A name, or a pattern of names (core/glob.hpp). called: the argument, what: what it names
void check_pattern(std::string_view pattern, const char *what);
std::string_view pattern_argument(FunctionCallInfo fcinfo, int n, const char *called);

// Refuses a frame that is too large, without detoasting the value.
void check_frame_size(Datum value, NullableDatum const &type, NullableDatum const &headers);

// The first two arguments of what works on several streams: their names, none of
// them NULL, and as many cursors, or none at all (nullptr). Returns how many there are.
inline constexpr int most_streams = 10000;
int stream_array_arguments(FunctionCallInfo fcinfo, Datum **names, Datum **cursors, bool **cursor_nulls);

// A type or key: NULL, or not empty and not too long. Headers: NULL or a JSON object, detoasted.
NullableDatum take_label(FunctionCallInfo fcinfo, int n, const char *called);
NullableDatum take_headers(FunctionCallInfo fcinfo, int n);

// The arguments of the append family, in the order of sql/stream.sql.
request append_request(FunctionCallInfo fcinfo, form payload, bool batch, bool best_effort);
request patch_request(FunctionCallInfo fcinfo);

} // namespace weir::stream
