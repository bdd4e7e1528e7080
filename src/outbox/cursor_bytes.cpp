// SPDX-License-Identifier: PostgreSQL
//
// Cursors as opaque bytes, for clients that keep cursors of many kinds (core/cursor.hpp).
#include "pg/pg.hpp"

#include "core/cursor.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"

namespace core = weir::core;

WEIR_FUNCTION(weir_encode_cursor) {
    std::byte bytes[core::cursor_size];
    core::encode_cursor(PG_GETARG_INT64(0), bytes);
    auto *out = static_cast<bytea *>(palloc(VARHDRSZ + core::cursor_size));
    SET_VARSIZE(out, VARHDRSZ + core::cursor_size);
    memcpy(VARDATA(out), bytes, core::cursor_size);
    PG_RETURN_BYTEA_P(out);
}

WEIR_FUNCTION(weir_decode_cursor) {
    std::string_view bytes = weir::pg::view_of(PG_GETARG_DATUM(0));
    core::failure why;
    int64 position = 0;
    if (!core::decode_cursor({reinterpret_cast<std::byte const *>(bytes.data()), bytes.size()}, position, why))
        ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("%s", why.message),
                        errdetail("%s", why.detail), errhint("%s", why.hint)));
    PG_RETURN_INT64(position);
}
