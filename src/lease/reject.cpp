// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "lease/reject.hpp"
#include "pg/error.hpp"
#include "pg/text.hpp"

namespace weir::lease {

namespace {

int detail_of_end(row const &r) {
    if (!r.there || r.nulls[column::ended_by - 1])
        return 0;
    std::string_view by = pg::view_of(r.get(column::ended_by));
    if (r.nulls[column::reason - 1])
        return errdetail("By \"%.*s\".", pg::shown(by), by.data());
    std::string_view reason = pg::view_of(r.get(column::reason));
    return errdetail("By \"%.*s\": %.*s.", pg::shown(by), by.data(), pg::shown(reason), reason.data());
}

} // namespace

void reject(row const &r, core::standing why, int64 epoch) {
    std::string_view name = pg::view_of(r.get(column::name));
    int cut = pg::shown(name);
    switch (why) {
    case core::standing::live:
    case core::standing::not_held:
        ereport(ERROR, (errcode(pg::errcode_lease_not_held), errmsg("lease \"%.*s\" is not held", cut, name.data()),
                        errhint("Acquire it with weir.lease_acquire().")));
        break;
    case core::standing::revoked:
        ereport(ERROR, (errcode(pg::errcode_lease_revoked), errmsg("lease \"%.*s\" was revoked", cut, name.data()),
                        detail_of_end(r)));
        break;
    case core::standing::expired:
        ereport(ERROR, (errcode(pg::errcode_lease_expired), errmsg("lease \"%.*s\" has expired", cut, name.data()),
                        errhint("Renew it well before its ttl is over, at a third of it, say.")));
        break;
    case core::standing::stale: {
        std::string_view owner = pg::view_of(r.get(column::owner));
        bool other_owner = r.integer(column::epoch) == epoch;
        ereport(ERROR, (errcode(pg::errcode_stale_lease),
                        other_owner ? errmsg("lease \"%.*s\" is held by another owner", cut, name.data())
                                    : errmsg("lease \"%.*s\" is not at epoch " INT64_FORMAT, cut, name.data(), epoch),
                        errdetail("\"%.*s\" holds it at epoch " INT64_FORMAT ".", pg::shown(owner), owner.data(),
                                  r.integer(column::epoch))));
    }
    }
    pg_unreachable();
}

} // namespace weir::lease
