// SPDX-License-Identifier: PostgreSQL
//
// The summary document that weir pipe keeps beside what it records: state, lines, bytes, time, and what was asked to be
// counted or picked out of the lines. Patterns are extended regular expressions, as in grep -E. What changes comes as
// merge patches.
//
//   {"state": "running", "command": "make", "lines": 12, "stderr_lines": 1, "bytes": 480, "elapsed_ms": 1200,
//    "warnings": 2, "current": "main.o"}
//
// and at the end "state": "finished" (or "interrupted"), with "exit_status" or "signal".
#pragma once

#include "pipe/splitter.hpp"
#include "screen/json.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::command {

// How it ended: of a command, or of the input where there was none.
struct ending {
    enum class kind { end_of_input, exited, killed, interrupted } how = kind::end_of_input;
    int number = 0; // exit status, or signal
    std::string reason() const;
};

class tally {
public:
    // Throws failure where a definition is not NAME=PATTERN, or a name is taken.
    void count(std::string const &definition);   // how many lines match
    void last(std::string const &definition);    // the first group of the newest match, or all of it
    void current(std::string const &definition); // the same, and gone at the end
    void command(std::string_view text);

    void see(piece const &p);
    // What changed since the last time, as a patch.
    std::string patch(std::chrono::milliseconds elapsed);
    std::string final_patch(std::chrono::milliseconds elapsed, ending const &how);

private:
    struct watch;
    enum class what { count, last, current };
    void add(what kind, std::string const &definition);
    void beginning(json::object &o);
    void changes(json::object &o, std::chrono::milliseconds elapsed, bool ended);

    std::vector<std::shared_ptr<watch>> watches_;
    std::string command_;
    std::int64_t lines_ = 0, stderr_lines_ = 0, told_stderr_lines_ = 0, bytes_ = 0;
    bool begun_ = false;
    std::array<bool, 2> in_line_{}; // of each channel
};

} // namespace weir::command
