// SPDX-License-Identifier: PostgreSQL
//
// Values of a result in binary form.
#pragma once

#include "libpq.hpp"
#include "weir/frame.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {
namespace internal {

class row {
public:
    row(PGresult const *r, int number) : result_(r), number_(number) {}

    bool is_null(int column) const noexcept { return PQgetisnull(result_, number_, column) != 0; }
    std::string_view raw(int column) const noexcept {
        return {PQgetvalue(result_, number_, column), static_cast<std::size_t>(PQgetlength(result_, number_, column))};
    }
    // A number of 1, 2, 4 or 8 bytes.
    std::int64_t integer(int column) const noexcept;
    double real(int column) const noexcept;
    position at(int column) const noexcept { return position(integer(column)); }
    std::optional<position> maybe_at(int column) const noexcept;
    std::optional<std::string> text(int column) const;
    std::vector<std::string> texts(int column) const; // of a text[] in one dimension; empty for NULL
    std::string jsonb(int column) const;              // "" for NULL
    std::optional<std::string> maybe_jsonb(int column) const;
    position::time_point time(int column) const noexcept; // of a timestamptz, cut to milliseconds

    // Columns from `first` on: id::bigint, mode, type, payload, bytes, headers.
    weir::frame frame(int first) const;

private:
    PGresult const *result_;
    int number_;
};

// Each row of a result, as decode has it.
template <class Decode> auto rows_of(pg_result const &r, Decode decode) {
    std::vector<decltype(decode(row(nullptr, 0)))> all;
    all.reserve(static_cast<std::size_t>(PQntuples(r.get())));
    for (int i = 0; i < PQntuples(r.get()); i++)
        all.push_back(decode(row(r.get(), i)));
    return all;
}

inline constexpr char frame_columns[] = "id::bigint, mode, type, payload, bytes, headers";

} // namespace internal
} // namespace weir::inline v0
