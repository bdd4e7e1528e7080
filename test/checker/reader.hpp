// SPDX-License-Identifier: PostgreSQL
//
// A reader: tails every stream with cursors of its own and remembers each delivery.
//
// By its number it reads one stream at a time or all in one call (read_many), in
// READ COMMITTED statements or in REPEATABLE READ transactions that begin anew, and
// all frames or none of the best-effort ones. Page sizes go from 1 to 1000. Between
// pages it looks in on the side: the head, the summary, a page backwards, a range.
//
// It is done when it has met the close mark of every stream.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "content.hpp"
#include "database.hpp"
#include "dice.hpp"
#include "history.hpp"
#include "options.hpp"

namespace checker {

struct tail {
    std::optional<position> cursor;
    std::vector<delivery> seen;
    bool closed = false;
};

// Judges one row by itself (key, content, mode); violations go to `s`.
delivery judge(const options &o, shared &s, unsigned stream, const result &r, int row, int column, bool naive);

class reader {
public:
    reader(const options &o, shared &s, unsigned number);

    // Until every stream is closed or common.give_up.
    void run();
    bool done() const;

    const bool with_best_effort;
    const unsigned number;
    std::vector<tail> tails;
    std::vector<range_sample> samples;
    std::vector<summary_sample> summaries;

private:
    // One page; false where the statement failed.
    bool page(unsigned stream, unsigned size, const position *settled);
    bool page_of_all(unsigned size, const position *settled);
    void take(unsigned stream, delivery d);
    void short_page(unsigned stream, const position *settled);
    bool repeatable(unsigned size);
    void aside(unsigned stream);
    void failed(const char *doing, const result &r);
    std::string visibility() const { return with_best_effort ? "all" : "exclude_best_effort"; }

    const options &opt;
    shared &common;
    dice roll;
    connection db;
    bool all_at_once, transactions;
};

} // namespace checker
