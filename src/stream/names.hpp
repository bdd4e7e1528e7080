// SPDX-License-Identifier: PostgreSQL
//
// Names of streams: the registry (name/registry.hpp), as far as it is of this kind.
#pragma once

#include "pg/pg.hpp"

#include "name/registry.hpp"

namespace weir::stream {

inline constexpr name::kind streams{'s', "stream"};

// What is left of a log whose lifetime is over and whose name has another log by now (lifetime.hpp).
inline constexpr name::kind ended_streams{'e', "stream that has ended"};

using known_stream = name::known;

inline int64 find(std::string_view name, Snapshot snapshot) { return name::find(streams, name, snapshot); }
inline int64 look_up(std::string_view name, Snapshot snapshot) { return name::look_up(streams, name, snapshot); }
inline known_stream find_or_create(std::string_view name) { return name::find_or_create(streams, name); }
inline known_stream look_up_or_create(std::string_view name) { return name::look_up_or_create(streams, name); }
inline int64 next_stream(int64 after) { return name::next(streams, after); }

} // namespace weir::stream
