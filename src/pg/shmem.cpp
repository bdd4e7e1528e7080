// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/shmem.hpp"

namespace weir::pg {

namespace {

// Null where the server has no room. Under AddinShmemInitLock, and with it interrupts, held.
void *try_structure(const char *name, std::size_t size, bool *found) {
    void *volatile memory = nullptr;
    MemoryContext context = CurrentMemoryContext;
    uint32 held = InterruptHoldoffCount;
    PG_TRY();
    {
        memory = ShmemInitStruct(name, size, found);
    }
    PG_CATCH();
    {
        // It lets its own lock go before it raises, so there is nothing to clean up.
        InterruptHoldoffCount = held;
        MemoryContextSwitchTo(context);
        if (geterrcode() != ERRCODE_OUT_OF_MEMORY)
            PG_RE_THROW();
        FlushErrorState();
    }
    PG_END_TRY();
    return memory;
}

// A file of its own for each structure and each life of the server's shared memory, among the temporary
// files, which the server removes when it starts.
constexpr const char *directory = "base/pgsql_tmp";

void write_file_name(const char *name, char (&out)[MAXPGPATH]) {
    auto const *header = static_cast<PGShmemHeader const *>(UsedShmemSegAddr);
    snprintf(out, sizeof out, "%s/pgsql_tmp.%s.%d.%u", directory, name, PostmasterPid, header->dsm_control);
    for (char *c = out; *c != '\0'; c++)
        *c = *c == ' ' ? '_' : *c;
}

[[noreturn]] void refuse(const char *file) {
    ereport(ERROR,
            (errcode_for_file_access(), errmsg("could not map file \"%s\" instead of shared memory: %m", file),
             errdetail("There is no room left in the server's shared memory, as where its table of locks has grown "
                       "before weir was first used."),
             errhint("Add weir to shared_preload_libraries, which reserves it, and restart the server.")));
    pg_unreachable();
}

void *map(const char *file, int fd, std::size_t size) {
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        refuse(file);
    (void)close(fd);
    return memory;
}

// Written, not just made longer: the disk has to have room now.
void *make_file(const char *file, std::size_t size) {
    (void)MakePGDirectory(directory);
    int fd = BasicOpenFile(file, O_RDWR | O_CREAT | O_EXCL | PG_BINARY);
    if (fd < 0)
        refuse(file);
    auto *zeros = static_cast<char *>(palloc0(size));
    bool written = write(fd, zeros, size) == static_cast<ssize_t>(size);
    pfree(zeros);
    if (!written) {
        int error = errno != 0 ? errno : ENOSPC;
        (void)close(fd);
        (void)unlink(file);
        errno = error;
        refuse(file);
    }
    ereport(LOG, (errmsg("there is no room for weir in the server's shared memory"),
                  errdetail("It maps the file \"%s\" instead.", file),
                  errhint("Add weir to shared_preload_libraries, which reserves the room, and restart the server.")));
    return map(file, fd, size);
}

void *attach(const char *name, std::size_t size, bool *found) {
    char file[MAXPGPATH];
    write_file_name(name, file);
    int fd = BasicOpenFile(file, O_RDWR | PG_BINARY);
    *found = fd >= 0;
    if (fd >= 0)
        return map(file, fd, size);
    if (void *memory = try_structure(name, size, found)) {
        if (!*found)
            memset(memory, 0, size);
        return memory;
    }
    *found = false;
    return make_file(file, size);
}

void check_layout() {
    bool found = false;
    auto *layout = static_cast<uint32 *>(attach("weir layout", sizeof(uint32), &found));
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
    return attach(name, size, found);
}

void request_shared(std::size_t size) { RequestAddinShmemSpace(size + sizeof(uint32)); }

} // namespace weir::pg
