// SPDX-License-Identifier: PostgreSQL
//
// What the server looks up the first time that a relation is used is looked up
// here, before a log's lock: support functions of an index, settings of a
// tablespace, the columns of a replica identity. A look-up opens catalogues, whose locks
// somebody may hold, and processes invalidations, which opens more of them.
//
// To be called last before lock(), with all relations open that will be used: whatever
// comes in between may process an invalidation that undoes it. So may a look-up here,
// hence until_ready().
#pragma once

#include "pg/pg.hpp"

#include "log/table.hpp"
#include "pg/invalidation.hpp"

namespace weir::log {

// Looks things up until no invalidation comes meanwhile.
template <class LookUp> void until_ready(LookUp look_up) {
    constexpr int most = 16; // where every look-up discards what was looked up (debug_discard_caches)
    uint64 before = 0;
    int rounds = 0;
    do {
        before = pg::invalidations();
        look_up();
    } while (pg::invalidations() != before && ++rounds < most);
}

// An index that will be searched or inserted into.
inline void make_index_ready(Relation index) {
    for (int i = 1; i <= IndexRelationGetNumberOfKeyAttributes(index); i++)
        (void)index_getprocinfo(index, static_cast<AttrNumber>(i), BTORDER_PROC);
}

// Its table. A full leaf is cleaned of dead entries, which prefetches as its tablespace has it.
inline void make_table_ready(Relation heap) {
    (void)get_tablespace_maintenance_io_concurrency(heap->rd_rel->reltablespace);
}

inline void make_ready(table const &t) {
    make_index_ready(t.index);
    make_table_ready(t.heap);
}

// A table from which rows will be deleted.
inline void make_deletion_ready(Relation heap) {
    if (RelationIsLogicallyLogged(heap))
        bms_free(RelationGetIndexAttrBitmap(heap, INDEX_ATTR_BITMAP_IDENTITY_KEY));
}

} // namespace weir::log
