// SPDX-License-Identifier: PostgreSQL
//
// Names that a dump brings. Beside what holds for every row
// (log/foreign.hpp), two dumps in one database must not meet in a name, or in an id.
#include "pg/pg.hpp"

#include "log/foreign.hpp"
#include "name/registry.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"

namespace pg = weir::pg;

WEIR_FUNCTION(weir_refuse_restored_name) {
    bool is_own = weir::log::check_restored(fcinfo);
    auto *t = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!is_own) {
        TupleDesc columns = RelationGetDescr(t->tg_relation);
        bool null = false;
        Datum name_text = heap_getattr(t->tg_trigtuple, SPI_fnumber(columns, "name"), columns, &null);
        Datum id = heap_getattr(t->tg_trigtuple, SPI_fnumber(columns, "id"), columns, &null);
        std::string_view name = pg::view_of(name_text);
        if (weir::name::is_at_odds(name, DatumGetInt64(id)))
            ereport(ERROR,
                    (errcode(ERRCODE_UNIQUE_VIOLATION),
                     errmsg("name \"%.*s\" is there already, or its id is another's", pg::shown(name), name.data()),
                     errhint("Restore each dump into a database of its own.")));
    }
    return PointerGetDatum(t->tg_trigtuple);
}
