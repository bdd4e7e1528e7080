// SPDX-License-Identifier: PostgreSQL
#include "screen/table.hpp"

#include "screen/terminal.hpp"
#include "screen/text.hpp"

#include <algorithm>

namespace weir::command {

std::vector<std::string> table::lines(int columns) const {
    constexpr int gap = 2, narrowest = 8;
    std::vector<int> widths;
    for (std::size_t i = 0; i < columns_.size(); i++) {
        int max = std::max(width(columns_[i].title), columns_[i].min_width);
        for (auto const &cells : rows_)
            max = std::max(max, width(cells[i]));
        widths.push_back(max);
    }
    int sum = -gap;
    for (int const w : widths)
        sum += w + gap;
    if (sum > columns)
        widths[0] = std::max(std::min(narrowest, widths[0]), widths[0] - (sum - columns));

    auto line = [&](auto const &cell) {
        std::string text;
        for (std::size_t i = 0; i < columns_.size(); i++) {
            std::string const shown = cut(cell(i), widths[i]);
            if (i > 0)
                text.append(gap, ' ');
            bool const last = i + 1 == columns_.size();
            text += columns_[i].right ? pad_left(shown, widths[i]) : last ? shown : pad(shown, widths[i]);
        }
        while (text.ends_with(' '))
            text.pop_back();
        return text;
    };
    std::vector<std::string> out;
    out.push_back(line([&](std::size_t i) { return columns_[i].title; }));
    for (auto const &cells : rows_)
        out.push_back(line([&](std::size_t i) -> std::string const & { return cells[i]; }));
    return out;
}

} // namespace weir::command
