// SPDX-License-Identifier: PostgreSQL
//
// Whether what happened may happen. Each claim is one line of the report.
#pragma once

#include <map>

#include "record.hpp"

namespace leases {

enum class claim {
    unique,
    ascending,
    fenced,
    in_order,
    writes,
    not_early,
    not_late,
    not_held_up,
    history,
    owners,
    errors,
    count_
};

// What is in the database at the end.
struct frame {
    std::int64_t id, epoch, key;
};
struct event {
    std::string type;
    unsigned lease;
    std::int64_t epoch;
    std::string owner, previous, reason;
};

class verdict {
public:
    verdict(const options &o, const std::vector<record> &records);
    void fetch(connection &db);
    void judge();
    bool report(); // true where every claim held and enough happened

private:
    void violate(claim c, const std::string &what);
    void judge_epochs();
    void judge_fences();
    void judge_writes();
    void judge_times();
    void judge_history();
    void judge_sequence(unsigned lease, const std::vector<event> &events);
    std::string name(unsigned lease, std::int64_t epoch) const;

    const options &o;
    record all;
    std::map<unsigned, std::vector<frame>> frames;
    std::map<unsigned, std::vector<event>> events;
    std::vector<std::string> violations[static_cast<int>(claim::count_)];
};

} // namespace leases
