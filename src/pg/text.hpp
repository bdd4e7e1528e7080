// SPDX-License-Identifier: PostgreSQL
//
// Varlena values as views. The view is good as long as the datum (or its detoasted
// copy in the current memory context) is.
#pragma once

#include "pg/pg.hpp"

#include "core/merge_patch.hpp"

namespace weir::pg {

inline std::string_view view_of(Datum value) {
    auto *t = DatumGetTextPP(value);
    return {VARDATA_ANY(t), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(t))};
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
