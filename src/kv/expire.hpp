// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/pg.hpp"

#include "worker/jobs.hpp"

namespace weir::kv {

enum class expiry {
    written,   // the key is gone by a change of its own
    overtaken, // its newest change is another by now
    in_the_way // somebody is writing it, or may be
};

// Lets a key go whose newest change is a put at a revision. Waits for nobody, and holds the key until commit.
expiry expire(int64 bucket_id, int64 revision, std::string_view key);

worker::outcome expire_step(int64);

} // namespace weir::kv
