// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/foreign.hpp"
#include "log/life.hpp"
#include "pg/function.hpp"

namespace log_ = weir::log;

namespace {

bool said = false; // by this process

TriggerData const *trigger_data(FunctionCallInfo fcinfo, const char *name) {
    auto *t = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(t->tg_event) || !TRIGGER_FIRED_FOR_ROW(t->tg_event))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("%s is a trigger of weir's own tables", name)));
    return t;
}

Datum row_of(TriggerData const *t) {
    return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(t->tg_event) ? t->tg_newtuple : t->tg_trigtuple);
}

} // namespace

namespace weir::log {

bool check_restored(FunctionCallInfo fcinfo) {
    trigger_data(fcinfo, "weir.refuse_restored()");
    if (InLocalUserIdChange())
        return true;
    if (fcinfo->flinfo->fn_extra != nullptr) // looked at for this statement
        return false;
    if (life::is_used())
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("rows of weir cannot be restored into a database where weir has been used"),
                        errdetail("Their ids, positions and names could be those of rows that are here."),
                        errhint("Restore into a database of its own, or after DROP EXTENSION weir and CREATE EXTENSION "
                                "weir, before anything is written through weir.")));
    static constinit char looked = 0;
    fcinfo->flinfo->fn_extra = &looked;
    return false;
}

} // namespace weir::log

WEIR_FUNCTION(weir_skip_replicated) {
    TriggerData const *t = trigger_data(fcinfo, "weir.skip_replicated()");
    if (!IsLogicalWorker())
        return row_of(t);
    if (!said) {
        said = true;
        ereport(LOG, (errmsg("rows of weir's own tables that come by logical replication are left out"),
                      errdetail("The first is one of \"%s\".", RelationGetRelationName(t->tg_relation)),
                      errhint("A publication of chosen tables or schemas does not send them.")));
    }
    return PointerGetDatum(nullptr);
}

WEIR_FUNCTION(weir_refuse_restored) {
    log_::check_restored(fcinfo);
    return row_of(reinterpret_cast<TriggerData *>(fcinfo->context));
}
