// SPDX-License-Identifier: PostgreSQL
//
// Varlena values and views of them. A view is good as long as the datum (or its
// detoasted copy in the current memory context) is.
#pragma once

#include "pg/pg.hpp"

#include "core/merge_patch.hpp"

namespace weir::pg {

inline std::string_view view_of(Datum value) {
    auto *t = DatumGetTextPP(value);
    return {VARDATA_ANY(t), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(t))};
}

inline Datum to_text(std::string_view s) {
    return PointerGetDatum(cstring_to_text_with_len(s.data(), static_cast<int>(s.size())));
}

inline uint64 hash_of(std::string_view s) {
    return hash_bytes_extended(reinterpret_cast<unsigned char const *>(s.data()), static_cast<int>(s.size()), 0);
}

// For the scan of an index on names, which compare byte by byte.
inline ScanKeyData is_named(AttrNumber column, Datum name) {
    ScanKeyData key;
    ScanKeyEntryInitialize(&key, 0, column, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ, name);
    return key;
}

inline core::jsonb_bytes container_of(Jsonb *document) {
    return {reinterpret_cast<std::byte const *>(&document->root), VARSIZE(document) - VARHDRSZ};
}

inline Datum to_datum(core::merge_result const &r) {
    SET_VARSIZE(r.varlena(), r.varlena_size());
    return PointerGetDatum(r.varlena());
}

// For "%.*s" in messages: a name, cut where it gets long.
inline int shown(std::string_view s) { return pg_mbcliplen(s.data(), static_cast<int>(s.size()), 100); }

} // namespace weir::pg
