// SPDX-License-Identifier: PostgreSQL
//
// What a name is the name of: a stream, say. A name is one thing, whatever its kind: a call of another family
// that is given it says so. Each family has a kind, which it registers as the library is loaded.
#pragma once

#include "pg/pg.hpp"

namespace weir::name {

// Lasts as long as the library.
struct kind {
    char code;        // as the registry's rows have it
    const char *noun; // "stream"
};

// From _PG_init.
void register_kind(kind const &k);

// Raises 42809 where what has the name is of another kind than the call works on.
void require_kind(std::string_view name, char found, kind const &wanted);

} // namespace weir::name
