// SPDX-License-Identifier: PostgreSQL
//
// A writer: random transactions of appends over all streams, each remembered with
// what became of it.
//
// Programs: one append by itself; a transaction of several with savepoints, some
// rolled back; one with more than 64 subtransactions, which overflows the snapshot's
// subxid cache; ended by COMMIT, ROLLBACK, an error, a cancel, or PREPARE
// TRANSACTION, the prepared one being finished later from another connection, as a
// transaction manager does. A short random delay before the end turns the order of
// commits against the order of positions, which is the point of it all.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "content.hpp"
#include "database.hpp"
#include "dice.hpp"
#include "history.hpp"
#include "options.hpp"
#include "two_phase.hpp"

namespace checker {

class writer {
public:
    writer(const options &o, shared &s, unsigned number);

    // Leaves nothing prepared behind, and no attempt open.
    void run(std::chrono::steady_clock::time_point until);

    std::vector<attempt> attempts;
    std::vector<range_sample> samples;

private:
    struct call {
        unsigned stream = 0;
        frame_kind kind = frame_kind::json;
        bool batch = false, one_by_one = false;
        std::vector<frame_key> keys;
        std::optional<std::string> idempotency_key;
    };
    using levels = std::vector<std::vector<std::size_t>>; // frames by open savepoint

    call choose_call();
    result send(const call &c);
    // Appends and remembers; the attempts' indices. `again`: a retry under its key.
    std::vector<std::size_t> append(const call &c, result::outcome &out);
    bool record_ids(const call &c, const result &r, std::size_t from, position below);
    void alone();
    void transaction();
    bool body(levels &open, unsigned steps);
    bool overflow(levels &open);
    void cancelled();
    bool own_read(const levels &open);
    void finish(levels &open);
    void mark(const std::vector<std::size_t> &frames, status f);
    void mark(const levels &open, status f);
    void prepare(const levels &open);
    void collect();
    void unexpected(const char *doing, const result &r);

    const options &opt;
    shared &common;
    dice roll;
    unsigned number;
    std::uint64_t current = 0; // transaction
    bool cancelling = false;
    connection main;
    two_phase manager;
};

} // namespace checker
