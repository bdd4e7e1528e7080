// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/shmem.hpp"

namespace weir::pg {

namespace {

void check_layout() {
    bool found = false;
    auto *layout = static_cast<uint32 *>(ShmemInitStruct("weir layout", sizeof(uint32), &found));
    if (!found)
        *layout = shared_layout;
    if (*layout != shared_layout)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the library of weir was replaced while the server was running"),
                        errhint("Restart the server.")));
}

} // namespace

void *attach_shared(const char *name, std::size_t size, bool *found) {
    check_layout();
    void *memory = ShmemInitStruct(name, size, found);
    if (!*found)
        memset(memory, 0, size);
    return memory;
}

void request_shared(std::size_t size) { RequestAddinShmemSpace(size + sizeof(uint32)); }

} // namespace weir::pg
