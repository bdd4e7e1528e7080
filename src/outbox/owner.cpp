// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/table.hpp"
#include "name/access.hpp"
#include "outbox/owner.hpp"
#include "pg/argument.hpp"
#include "pg/function.hpp"
#include "pg/snapshot.hpp"
#include "pg/spi.hpp"
#include "pg/text.hpp"

namespace name = weir::name;
namespace outbox = weir::outbox;
namespace pg = weir::pg;
namespace spi = weir::pg::spi;

namespace weir::outbox {

namespace {

constinit log::source subscription_table{"subscription"};

constinit spi::statement give_statement{
    "UPDATE weir.subscription SET owner = $2 WHERE subscription_id OPERATOR(pg_catalog.=) $1",
    2,
    {INT8OID, REGROLEOID}};

bool is_admin() { return name::may_all(name::level::admin); }

bool may_use(subscription const &s) { return has_privs_of_role(GetUserId(), s.owner) || is_admin(); }

void give(subscription const &s, Oid role) {
    spi::session session = spi::begin(log::relation_oid(subscription_table));
    Datum values[] = {Int64GetDatum(s.id), ObjectIdGetDatum(role)};
    spi::write(give_statement, values, nullptr);
    spi::end(session);
}

} // namespace

bool may_see(subscription const &s) { return name::may_monitor() || may_use(s); }

void require_owner(subscription const &s) {
    if (may_use(s))
        return;
    std::string_view name = pg::view_of(s.name);
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied for subscription \"%.*s\"", pg::shown(name), name.data()),
                    errdetail("It belongs to another role."),
                    errhint("Subscribe under another name, become a member of the role that owns it, or let an admin "
                            "give it to you with weir.give_subscription().")));
}

} // namespace weir::outbox

WEIR_FUNCTION(weir_give_subscription) {
    enum { name_at, role_at };
    pg::require_writable("weir.give_subscription()");
    std::string_view name = outbox::subscription_argument(fcinfo, name_at);
    if (PG_ARGISNULL(role_at))
        pg::null_argument("role");
    Oid role = PG_GETARG_OID(role_at);
    if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("role with OID %u does not exist", role)));
    outbox::subscription sub;
    outbox::take_subscription(name, sub);
    outbox::give(sub, role);
    PG_RETURN_VOID();
}
