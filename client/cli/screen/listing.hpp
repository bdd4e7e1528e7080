// SPDX-License-Identifier: PostgreSQL
//
// Lists of what there is, from the views of weir: for people a table as wide as the terminal, else a JSON
// object a line.
#pragma once

#include "screen/table.hpp"
#include "weir/connection.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace weir::command {

// To standard output.
void print(table const &t);

// Each row of a query as the server's row_to_json() gives it.
void print_json_rows(connection &db, std::string_view query, std::optional<std::string_view> parameter = std::nullopt);

// A cell: NULL is empty; characters that a terminal would obey are made visible.
std::string cell(rows const &r, std::size_t row, std::size_t column);
// Of a column with milliseconds.
std::string duration_cell(rows const &r, std::size_t row, std::size_t column);

} // namespace weir::command
