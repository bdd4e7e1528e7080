// SPDX-License-Identifier: PostgreSQL
//
// How long a stream's events stay: by age, by number, or both, and longer where a
// subscription that asked for it has not acknowledged them yet, up to a
// bound of their own, so that a consumer that is gone cannot fill the disk.
//
// It is applied by the housekeeper, a bounded number of frames at a time: asked by
// appends every so many frames, some seconds after any append, and by itself when the
// oldest frame of a stream comes of age; and by retain(), all at once.
#pragma once

#include "pg/pg.hpp"

#include "stream/properties.hpp"
#include "stream/writer.hpp"

namespace weir::outbox {

// From _PG_init.
void register_retention();

// A transaction has appended to a stream: a few stores, where there is any policy at all.
void ask_for_retention(int64 stream_id, stream::written const &appended, int count);

// Within the call that gives a stream properties.
void ask_for_first_retention(int64 stream_id, stream::properties const &p);

// Whoever is about to hold events calls it before it looks what there is. No event
// is removed by retention from then on until the transaction ends, so what it sets its cursor on stays there;
// what was being removed is gone when this returns. So it may wait, for one step of the housekeeper at
// the most, or for a retain() in an open transaction.
void keep_retention_out();

} // namespace weir::outbox
