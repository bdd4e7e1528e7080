// SPDX-License-Identifier: PostgreSQL
//
// Rows that would take long are not inserted under the log's lock. Under it their whole
// range of positions is minted, and one row more behind them, the guard, which is all
// that is inserted there:
//
//     … | first … last | guard |            positions, in order
//           rows, later   at once
//
// A reader cannot get past the guard while its transaction runs, wherever the rows are by
// then, and the next mint finds the guard and goes above it. Only a reader that stops before
// the guard could take what is not there yet for settled: so each row of a range says
// where the range begins, and the scan looks at the first entry beyond its bounds, too.
//
// It says so in the third column of every log table, whose low bits are a running count that
// the family keeps.
#pragma once

#include "pg/pg.hpp"

namespace weir::log {

inline constexpr int count_bits = 44;
inline constexpr int64 count_mask = (int64{1} << count_bits) - 1;
inline constexpr int64 max_in_range = (1 << 17) - 1; // the guard too; the bits above are the family's

// For the row at a distance from the first of its range.
inline int64 place_in_range(int64 distance) { return (distance + 1) << count_bits; }

// The first position of a row's range, its own where it was inserted by itself.
inline int64 first_of_range(int64 id, int64 ordinal) {
    int64 place = ordinal >> count_bits & max_in_range;
    return place == 0 ? id : id - (place - 1);
}

} // namespace weir::log
