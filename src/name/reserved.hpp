// SPDX-License-Identifier: PostgreSQL
//
// Names that weir itself writes: histories, dead letters. Whoever may read may read them, and they
// are trimmed, kept and dropped like any other; but nobody appends to them, closes or creates
// them, so what they say is what happened.
//
// A family reserves its prefix as the library is loaded (module.cpp): the name itself, and all
// that begin with it and a slash. "weir" is reserved for whatever is to come, so that a later version
// need not take away a name that somebody uses.
#pragma once

#include "pg/pg.hpp"

namespace weir::name {

// Both last as long as the library. holds: what is there, "the history of leases".
void reserve(std::string_view prefix, const char *holds);

bool is_reserved(std::string_view name);

// Raises 42939 for a reserved name.
void refuse_reserved(std::string_view name);

} // namespace weir::name
