// SPDX-License-Identifier: PostgreSQL
//
// How long a topic's events stay: by age, by number, or both, and longer where a
// subscription that asked for it has not acknowledged them yet, up to a
// bound of their own, so that a consumer that is gone cannot fill the disk.
//
// It is applied by appends to the topic, now and then and a bounded number of frames at
// a time, so that each append pays a constant; and by retain(), all at once.
#pragma once

#include "pg/pg.hpp"

#include "stream/writer.hpp"

namespace weir::outbox {

// Whether it is time to look after a topic, and if so, to do it. Never waits.
void retain_after(int64 stream_id, stream::written const &appended, int count);

} // namespace weir::outbox
