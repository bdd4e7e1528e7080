// SPDX-License-Identifier: PostgreSQL
//
// The doorbell for everybody's own channels: weir.notify(), and the trigger
// weir.ring(channel [, column]), after any change of any table. The trigger needs
// no rights on weir from those who change the table.
#include "pg/pg.hpp"

#include "doorbell/channel.hpp"
#include "doorbell/notify.hpp"
#include "pg/fixed_settings.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"

namespace doorbell = weir::doorbell;
namespace pg = weir::pg;

namespace {

[[noreturn]] void misused(int code, const char *message, const char *hint) {
    ereport(ERROR, (errcode(code), errmsg("%s", message), errhint("%s", hint)));
    pg_unreachable();
}

// The value of a column of the row that was changed, as text that is the same whoever writes; NULL: empty.
char *column_of(TriggerData const *t, const char *name) {
    if (!TRIGGER_FIRED_FOR_ROW(t->tg_event))
        misused(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "weir.ring() can send a column from a row trigger only",
                "Say FOR EACH ROW, or leave the column out.");
    TupleDesc columns = RelationGetDescr(t->tg_relation);
    int n = SPI_fnumber(columns, name);
    if (n <= 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                        errmsg("column \"%s\" of relation \"%s\" does not exist", name,
                               RelationGetRelationName(t->tg_relation)),
                        errhint("The second argument of weir.ring() is a column, whose value becomes the payload.")));
    HeapTuple row = TRIGGER_FIRED_BY_UPDATE(t->tg_event) ? t->tg_newtuple : t->tg_trigtuple;
    int fixed = pg::begin_fixed_settings(pg::text_of(SPI_gettypeid(columns, n)));
    char *value = SPI_getvalue(row, columns, n);
    pg::end_fixed_settings(fixed);
    return value != nullptr ? value : pstrdup("");
}

} // namespace

WEIR_FUNCTION(weir_notify) {
    if (PG_ARGISNULL(0))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("channel must not be null")));
    std::string_view channel = pg::view_of(PG_GETARG_DATUM(0));
    std::string_view payload = PG_ARGISNULL(1) ? std::string_view("") : pg::view_of(PG_GETARG_DATUM(1));
    doorbell::check_channel(channel);
    doorbell::check_payload(payload);
    PreventCommandDuringRecovery("weir.notify()");
    PreventCommandIfParallelMode("weir.notify()");
    doorbell::notify(pnstrdup(channel.data(), channel.size()), pnstrdup(payload.data(), payload.size()));
    PG_RETURN_VOID();
}

WEIR_FUNCTION(weir_ring) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        misused(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "weir.ring() must be called as a trigger",
                "Use it in CREATE TRIGGER, or call weir.notify().");
    auto *t = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!TRIGGER_FIRED_AFTER(t->tg_event))
        misused(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "weir.ring() must be fired after the change",
                "Say AFTER in CREATE TRIGGER.");
    Trigger const *trigger = t->tg_trigger;
    if (trigger->tgnargs < 1 || trigger->tgnargs > 2)
        misused(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "weir.ring() takes one or two arguments",
                "They are the channel, and a column whose value becomes the payload.");
    doorbell::check_channel(trigger->tgargs[0]);
    const char *payload = trigger->tgnargs == 2 ? column_of(t, trigger->tgargs[1]) : "";
    doorbell::check_payload(payload);
    doorbell::notify(trigger->tgargs[0], payload);
    return PointerGetDatum(nullptr);
}
