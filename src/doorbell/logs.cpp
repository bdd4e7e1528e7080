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

} // namespace weir::doorbell
