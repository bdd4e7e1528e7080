// SPDX-License-Identifier: PostgreSQL
//
// A bucket's part in the writer rule (log/writer.hpp), and the locks of its keys.
//
// Whoever changes a key holds a lock of it until commit (pg/key_lock.hpp): those who put whatever is there
// beside each other, those who depend on what is there alone, those who check it beside each other. So who depends on
// a key finds nothing of it in flight, and looks with a snapshot of now, before the log's short lock.
#pragma once

#include "pg/pg.hpp"

#include "kv/request.hpp"
#include "name/registry.hpp"
#include "pg/key_lock.hpp"

namespace weir::kv {

name::known find_or_create(std::string_view bucket);

void lock_key(int64 bucket_id, std::string_view key, pg::hold how);
bool try_lock_key(int64 bucket_id, std::string_view key, pg::hold how);
void lock_all_keys(int64 bucket_id); // nobody takes another from now on

// Takes the locks of the request's keys for writing, and writes it. Returns the revision of the first change; the
// others follow it.
int64 put(request const &r);

// With the locks held. The properties are the bucket's.
int64 write(int64 bucket_id, request const &r);

// A mark behind everything that is there.
int64 write_mark(int64 bucket_id, std::string_view bucket, enum op op);

} // namespace weir::kv
