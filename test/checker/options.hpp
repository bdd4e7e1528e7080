// SPDX-License-Identifier: PostgreSQL
//
// The command line of weir-checker.
#pragma once

#include <cstdint>
#include <string>

namespace checker {

struct options {
    double seconds = 10, timeout = 60;
    unsigned writers = 8, readers = 8, streams = 3;
    unsigned transactions = 1; // committed ones that a run takes at the least
    std::uint64_t seed = 1;
    std::string conninfo, reader_conninfo, run = "checker", history;
    bool naive = false, keep_going = false, vacuum = true;
    unsigned prepared = 2; // transactions that one writer leaves prepared at a time

    bool on_standby() const { return !reader_conninfo.empty(); }
    // Best-effort frames may go missing: they are not on a standby, nor behind a crash.
    bool best_effort_is_lossy() const { return keep_going; }
    std::string stream(unsigned n) const { return run + "/" + std::to_string(n); }
};

} // namespace checker
