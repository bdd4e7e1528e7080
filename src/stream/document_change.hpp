// SPDX-License-Identifier: PostgreSQL
//
// Whether a patch may make the summary document too large: known from a bound that each patch carries, and where the
// bound does not do, from the document itself, folded without the lock.
#pragma once

#include "pg/pg.hpp"

#include "core/document_bound.hpp"

namespace weir::stream {

// What a patch does to the size of the document, as far as that is known from its bound.
struct document_change {
    int64 growth; // at the most, in units
    bool replaces;
    bool measured; // then of what is settled:
    int64 units;
    core::document_bound as_of; // and its bound, which this may be far below
    core::document_bound next;  // the bound with the patch, where it fits
    int measurings;
};

// Under the lock. Patches behind what was measured are counted as what they added to the bound.
bool fits(document_change &c, core::document_bound const &before);

// Not under the lock: folds the document, to see how large it really is. Raises 54000 where it is too large.
void measure_document(document_change &c, std::string_view name, int64 stream_id, core::document_bound const &before);

} // namespace weir::stream
