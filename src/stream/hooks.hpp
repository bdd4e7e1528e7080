// SPDX-License-Identifier: PostgreSQL
//
// What the families that are built on streams are told of them: streams know nobody
// above themselves.
#pragma once

#include "pg/pg.hpp"

#include "stream/properties.hpp"
#include "stream/writer.hpp"

namespace weir::stream {

struct hooks {
    void (*appended)(int64 stream_id, written const &, int count); // durable frames, within the appending call
    void (*dropped)(int64 stream_id);                              // within the drop, under the maintenance lock
    void (*has_properties)(int64 stream_id, properties const &);   // within the call that sets some
};

// Once, from _PG_init.
void set_hooks(hooks const &h);

void tell_of_append(int64 stream_id, written const &appended, int count);
void tell_of_drop(int64 stream_id);
void tell_of_properties(int64 stream_id, properties const &p);

} // namespace weir::stream
