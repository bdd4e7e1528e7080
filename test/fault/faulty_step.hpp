// SPDX-License-Identifier: PostgreSQL
//
// Planted by housekeeping_injected.sh into a copy of the source, in place of a job's step.
// A file weir_fault_JOB in the data directory says what becomes of the step:
//
//   error   it fails when all has been done, with all locks in hand
//   lock    it waits, likewise, for a lock that is never granted
//   memory  it cannot have as much as it needs, and fails at the latest when all has been done
//   exit    its process has to leave
//
// Where a caller does the step, it is no worker that has to leave, and waits for no lock.
#pragma once

#include <sys/resource.h>

namespace weir::worker {

inline constexpr int64 lock_never_granted = 4703;

struct planted {
    char what[8];

    bool is(char const *other) const { return strcmp(what, other) == 0; }
};

inline planted planted_for(job const &j) {
    planted p{};
    char path[MAXPGPATH];
    snprintf(path, sizeof path, "weir_fault_%s", j.name);
    if (FILE *file = AllocateFile(path, "r")) {
        p.what[fread(p.what, 1, sizeof p.what - 1, file)] = '\0';
        FreeFile(file);
    }
    return p;
}

inline std::size_t address_space() {
    std::size_t pages = 0;
    FILE *file = AllocateFile("/proc/self/statm", "r");
    if (fscanf(file, "%zu", &pages) != 1)
        elog(FATAL, "could not find out how large this process is");
    FreeFile(file);
    return pages * 4096;
}

inline void limit_memory(rlim_t bytes) {
    rlimit both{};
    getrlimit(RLIMIT_AS, &both);
    both.rlim_cur = bytes;
    setrlimit(RLIMIT_AS, &both);
}

#ifdef __SANITIZE_ADDRESS__
// The sanitizer's own allocations may not fail.
inline void starve(job const &j, int64 key) {
    (void)j.step(key);
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}
#else
inline void starve(job const &j, int64 key) {
    limit_memory(address_space() + 128 * 1024);
    PG_TRY();
    {
        (void)j.step(key);
        (void)palloc(64 * 1024 * 1024);
    }
    PG_FINALLY();
    {
        limit_memory(RLIM_INFINITY);
    }
    PG_END_TRY();
}
#endif

inline void wait_for_ever() {
    if (!IsTransactionState())
        StartTransactionCommand();
    DirectFunctionCall1(pg_advisory_xact_lock_int8, Int64GetDatum(lock_never_granted));
}

inline outcome faulty_step(job const &j, int64 key) {
    planted fault = planted_for(j);
    if (fault.is("memory"))
        starve(j, key);
    outcome out = j.step(key);
    if (fault.is("error"))
        elog(ERROR, "planted");
    if (MyBackendType != B_BG_WORKER)
        return out;
    if (fault.is("lock"))
        wait_for_ever();
    if (fault.is("exit"))
        elog(FATAL, "planted");
    return out;
}

} // namespace weir::worker
