// SPDX-License-Identifier: PostgreSQL
//
// Frames as rows of a result, and which of them are wanted. What reads streams and what
// fetches from topics filter and shape frames alike.
#pragma once

#include "pg/pg.hpp"

#include "stream/reader.hpp"

namespace weir::stream {

// A close mark passes every filter: a tail has to learn of the end.
struct filter {
    bool best_effort;
    int type_count; // -1: any
    Datum *types;
    bool *type_nulls;
    NullableDatum headers; // contained in those of the frame
};

// Of an array of text and a JSON object; either may be NULL.
filter make_filter(NullableDatum const &types, NullableDatum const &headers);
filter take_filter(FunctionCallInfo fcinfo, int types, int headers);

// What the rows of one result have in common.
struct row_names {
    NullableDatum stream; // first column of rows from several streams, else NULL
    Datum modes[4];
};

row_names make_row_names();

inline constexpr int most_row_columns = 8;

struct frame_row {
    Datum values[most_row_columns];
    bool nulls[most_row_columns];
};

// The current row, if it is wanted. Its values live as long as the reader's snapshot and row do.
bool make_row(row_names const &names, reader &r, filter const &f, frame_row &out);

} // namespace weir::stream
