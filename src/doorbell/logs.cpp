// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/logs.hpp"

namespace weir::doorbell {

namespace {
logs registered[16];
int count = 0;
} // namespace

void register_logs(logs const &of) {
    if (count == lengthof(registered))
        elog(ERROR, "too many kinds of logs");
    registered[count++] = of;
}

const char *name_of(outlook o) {
    switch (o) {
    case outlook::frames:
        return "frames";
    case outlook::closed:
        return "closed";
    case outlook::dropped:
        return "dropped";
    case outlook::expired:
        return "expired";
    default:
        return "timeout";
    }
}

logs const *logs_of(char kind) {
    for (int i = 0; i < count; i++) {
        if (registered[i].kind->code == kind)
            return &registered[i];
    }
    return nullptr;
}

bool are_any_written() {
    bool any = false;
    for (int i = 0; i < count; i++)
        any |= registered[i].are_written();
    return any;
}

// Whoever writes holds a lock on the table that a share lock would have to wait for.
bool is_written_by_others(log::source &table) {
    LOCKTAG tag;
    SET_LOCKTAG_RELATION(tag, MyDatabaseId, log::relation_oid(table));
    int count_of_holders = 0;
    (void)GetLockConflicts(&tag, ShareLock, &count_of_holders);
    return count_of_holders > 0;
}

} // namespace weir::doorbell
