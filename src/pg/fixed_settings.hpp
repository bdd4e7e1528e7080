// SPDX-License-Identifier: PostgreSQL
//
// Text of values that does not depend on who writes. The output functions of types go by
// settings of the session: digits of floating point, styles of dates, intervals and bytes, the
// time zone, the currency, the search_path. Between begin and end those are as
// follows, whatever the session has set:
//
//   extra_float_digits 1, bytea_output hex, IntervalStyle iso_8601, DateStyle ISO, TimeZone UTC,
//   lc_monetary C, quote_all_identifiers off; and search_path pg_catalog where names are to be written
//
// Only what differs is set, so that most sessions pay for two or three settings. After
// an error the end of the (sub)transaction puts them back.
#pragma once

#include "pg/pg.hpp"

namespace weir::pg {

// What the text of a type goes by.
enum class text_depends_on { nothing, formats, formats_and_path };
text_depends_on text_of(Oid type);

// For end_fixed_settings(); 0: nothing had to be set.
int begin_fixed_settings(text_depends_on what);
void end_fixed_settings(int level);

} // namespace weir::pg
