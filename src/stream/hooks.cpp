// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "stream/hooks.hpp"

namespace weir::stream {

namespace {
hooks told{};
} // namespace

void set_hooks(hooks const &h) { told = h; }

void tell_of_append(int64 stream_id, written const &appended, int count) {
    if (told.appended != nullptr)
        told.appended(stream_id, appended, count);
}

void tell_of_drop(int64 stream_id) {
    if (told.dropped != nullptr)
        told.dropped(stream_id);
}

void tell_of_properties(int64 stream_id, properties const &p) {
    if (told.has_properties != nullptr)
        told.has_properties(stream_id, p);
}

} // namespace weir::stream
