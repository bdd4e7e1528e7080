// SPDX-License-Identifier: PostgreSQL
//
// What a caller asks for, checked once at the edge: nothing behind it looks at
// an argument again.
#pragma once

#include "pg/pg.hpp"

#include "pg/payload.hpp"
#include "stream/fence.hpp"
#include "stream/frame.hpp"

namespace weir::stream {

using pg::form;

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
    struct fence fence;
    int64 growth; // of the document, by a patch; in units of its bound
    int64 ttl_ms; // best effort; 0: the stream's
};

inline NullableDatum const &type_at(request const &r, int i) { return r.types == nullptr ? r.type : r.types[i]; }
inline NullableDatum const &headers_at(request const &r, int i) {
    return r.headers_each == nullptr ? r.headers : r.headers_each[i];
}

// Refuses a frame that is too large, without detoasting the value.
void check_frame_size(Datum value, NullableDatum const &type, NullableDatum const &headers);

// The arguments of the append and emit families, in the order of sql/stream.sql and sql/outbox.sql.
request append_request(FunctionCallInfo fcinfo, form payload, bool batch, bool best_effort);
request emit_request(FunctionCallInfo fcinfo, form payload, bool batch);
request patch_request(FunctionCallInfo fcinfo);

} // namespace weir::stream
