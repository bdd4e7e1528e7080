// SPDX-License-Identifier: PostgreSQL
//
// The names that a backend remembers, from committed rows of the registry: a direct-mapped table each way. All of it
// is dropped with any invalidation of weir's tables.
#pragma once

#include "pg/pg.hpp"

namespace weir::name {

struct remembered {
    char *name; // nullptr: nothing
    uint32 hash;
    uint32 length;
    int64 id;
    char kind;
};

inline uint32 hash_of(std::string_view name) {
    return hash_bytes(reinterpret_cast<unsigned char const *>(name.data()), static_cast<int>(name.size()));
}

// nullptr: not remembered. Processes invalidations: the extension may have been dropped and made anew.
remembered const *recall(std::string_view name);
remembered const *recall(int64 id);

// before: pg::invalidations() from before the snapshot that showed the row.
void remember(std::string_view name, int64 id, char kind, uint64 before);
void remember_id(std::string_view name, int64 id, uint64 before);

} // namespace weir::name
