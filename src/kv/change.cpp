// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "kv/change.hpp"
#include "pg/text.hpp"

namespace weir::kv {

constinit log::source log_source{"kv_log"};
constinit log::source key_index{"kv_log_key_idx"};

prefix const &prefix_of(TupleTableSlot *slot) {
    bool ignored = false;
    HeapTuple tuple = ExecFetchSlotHeapTuple(slot, false, &ignored);
    return *reinterpret_cast<prefix const *>(reinterpret_cast<char *>(tuple->t_data) + tuple->t_data->t_hoff);
}

std::string_view key_of(TupleTableSlot *slot) {
    bool null = false;
    Datum key = slot_getattr(slot, column::key, &null);
    return null ? std::string_view{} : pg::view_of(key);
}

int64 size_of(TupleTableSlot *slot) {
    int64 size = 0;
    for (int n = column::key; n <= column::headers; n++) {
        bool null = false;
        Datum d = slot_getattr(slot, static_cast<AttrNumber>(n), &null);
        if (!null)
            size += static_cast<int64>(toast_raw_datum_size(d)) - VARHDRSZ;
    }
    return size;
}

} // namespace weir::kv
