// SPDX-License-Identifier: PostgreSQL
//
// Columns that line up. Cells may carry colours; numbers stand to the right.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::command {

class table {
public:
    struct column {
        std::string title;
        bool right = false;
        int min_width = 0; // columns on the screen
    };
    explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}

    void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    std::size_t rows() const noexcept { return rows_.size(); }

    // The first is the titles. Where they would be wider than that, the first column gives way.
    std::vector<std::string> lines(int columns) const;

private:
    std::vector<column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

} // namespace weir::command
