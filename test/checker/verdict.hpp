// SPDX-License-Identifier: PostgreSQL
//
// The verdict over recorded histories. It asks the server nothing but summary_at()
// and stream_info(); what it rests on is the writers' attempts, the readers' deliveries and one last
// read of everything (`final_read`), made when no transaction was left open.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "history.hpp"
#include "options.hpp"
#include "reader.hpp"
#include "writer.hpp"

namespace checker {

class verdict {
public:
    verdict(const options &o, shared &s, const std::vector<std::unique_ptr<writer>> &w,
            const std::vector<std::unique_ptr<reader>> &r, const reader &final_read);

    void judge();
    // The lines of the report; true where nothing was violated.
    bool report(bool vacuous) const;
    void dump(const std::string &file) const;

    std::uint64_t committed = 0, aborted = 0, doubtful = 0, deliveries = 0, patches = 0;

private:
    void history_against_final();
    void transactions_in_doubt();
    void each_reader();
    void ranges();
    void batches();
    void summaries(connection &db);
    void counts(connection &db);
    bool in_final(const attempt &a) const { return where.contains(a.key); }
    const attempt *known(frame_key key) const {
        auto found = tried.find(key);
        return found == tried.end() ? nullptr : found->second;
    }
    std::string name(const attempt &a) const;

    const options &opt;
    shared &common;
    const std::vector<std::unique_ptr<writer>> &writers;
    const std::vector<std::unique_ptr<reader>> &readers;
    const std::vector<tail> &truth;
    std::unordered_map<frame_key, const attempt *> tried;
    std::unordered_map<frame_key, position> where; // of the final read
};

} // namespace checker
