// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "worker/records.hpp"
#include "worker/shared.hpp"

namespace weir::worker {

namespace {

records *attached = nullptr;
records unshared; // where there is no memory
bool is_refused = false;

dsm_segment *make_segment(database_slot &s) {
    dsm_segment *segment = dsm_create(sizeof(records), DSM_CREATE_NULL_IF_MAXSEGMENTS);
    if (segment == nullptr)
        return nullptr;
    memset(dsm_segment_address(segment), 0, sizeof(records));
    dsm_pin_segment(segment);
    s.records = dsm_segment_handle(segment);
    return segment;
}

// Under the lock, as is all that is read or written there.
records *attach(database_slot &s) {
    if (attached != nullptr && attached->database == MyDatabaseId)
        return attached;
    dsm_segment *segment = nullptr;
    if (s.records == DSM_HANDLE_INVALID)
        segment = make_segment(s);
    else if ((segment = dsm_find_mapping(s.records)) == nullptr)
        segment = dsm_attach(s.records);
    if (segment == nullptr)
        return nullptr;
    dsm_pin_mapping(segment);
    attached = static_cast<records *>(dsm_segment_address(segment));
    return attached;
}

records *try_attach(database_slot &s) {
    records *volatile found = nullptr;
    MemoryContext memory = CurrentMemoryContext;
    uint32 held = InterruptHoldoffCount;
    PG_TRY();
    {
        found = attach(s);
    }
    PG_CATCH();
    {
        InterruptHoldoffCount = held; // the lock is still held, and with it interrupts
        MemoryContextSwitchTo(memory);
        FlushErrorState();
        is_refused = true; // not tried again in this process
    }
    PG_END_TRY();
    return found;
}

void write(record &r, TimestampTz now, char const *message) {
    r.runs++;
    r.last_run = now;
    if (message == nullptr) {
        r.last_success = now;
        return;
    }
    r.failures++;
    auto length = pg_mbcliplen(message, static_cast<int>(strlen(message)), sizeof r.last_error - 1);
    memcpy(r.last_error, message, static_cast<std::size_t>(length));
    r.last_error[length] = '\0';
}

} // namespace

void record_run(int job, char const *message) {
    database_slot *s = own_slot();
    if (s == nullptr)
        return;
    TimestampTz now = GetCurrentTimestamp();
    lock_shared();
    records *of_database = is_refused ? nullptr : try_attach(*s);
    if (of_database == nullptr)
        of_database = &unshared;
    if (of_database->database != MyDatabaseId) { // the slot was another database's
        memset(of_database, 0, sizeof *of_database);
        of_database->database = MyDatabaseId;
    }
    write(of_database->of[job], now, message);
    unlock_shared();
}

bool read_records(records &out) {
    database_slot *s = own_slot();
    if (s == nullptr)
        return false;
    records const *of_database = &unshared;
    lock_shared();
    if (s->records != DSM_HANDLE_INVALID && !is_refused) {
        if (records const *found = try_attach(*s))
            of_database = found;
    }
    out = *of_database;
    unlock_shared();
    return out.database == MyDatabaseId;
}

} // namespace weir::worker
