// SPDX-License-Identifier: PostgreSQL
#include "screen/listing.hpp"

#include "screen/terminal.hpp"
#include "screen/text.hpp"

#include <algorithm>

namespace weir::command {

void print(table const &t) {
    screen const &out = standard_output();
    bool title = true;
    for (std::string const &line : t.lines(out.terminal ? out.columns() : 200)) {
        write(paint(out, title ? style::dim : "", line) + "\n");
        title = false;
    }
}

void print_json_rows(connection &db, std::string_view query, std::optional<std::string_view> parameter) {
    std::string const sql = "SELECT row_to_json(r) FROM (" + std::string(query) + ") r";
    rows const r = parameter ? db.query(sql, {parameter}) : db.query(sql);
    for (std::size_t i = 0; i < r.size(); i++)
        write(std::string(r.at(i, 0).value_or("")) + "\n");
}

std::string cell(rows const &r, std::size_t row, std::size_t column) {
    std::string text = printable(r.at(row, column).value_or(""), false);
    std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return text;
}

std::string duration_cell(rows const &r, std::size_t row, std::size_t column) {
    auto const ms = r.at(row, column);
    return ms ? show_duration(milliseconds(std::stoll(std::string(*ms)))) : "";
}

} // namespace weir::command
