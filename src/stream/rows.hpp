// SPDX-License-Identifier: PostgreSQL
//
// Frames as rows of a result, and which of them are wanted. What reads streams and what
// fetches from streams filter and shape frames alike.
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
    Datum modes[6];
    Datum more; // the type of a bookmark before the end
};

row_names make_row_names();

inline constexpr int max_row_columns = 8;

struct frame_row {
    Datum values[max_row_columns];
    bool nulls[max_row_columns];
};

// A frame as it is stored: what is large lies out of line still, to be fetched under the snapshot by which it
// was found.
struct stored_row {
    int64 id;
    Datum mode;
    NullableDatum type, payload, bytes, headers;
};

// The reader's current row, if it is wanted; good until the reader moves on.
bool find_wanted(row_names const &names, reader &r, filter const &f, stored_row &out);

// Fetches what lies out of line.
void shape_row(row_names const &names, stored_row const &from, frame_row &out);

// A row that is no frame: everything settled was looked at up to here. more: of which there is more to look at.
void shape_bookmark(row_names const &names, int64 position, bool more, frame_row &out);

} // namespace weir::stream
