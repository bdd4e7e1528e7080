// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "lease/clock.hpp"
#include "lease/fence.hpp"
#include "lease/reject.hpp"

namespace weir::lease {

TimestampTz hold(fence const &f) {
    lock(f.lease, purpose::work);
    Relation leases = open_table();
    row r = find(leases, f.lease);
    close_table(leases);
    core::lease known{};
    if (r.there)
        known = to_core(r);
    core::standing now_is = core::standing_of(r.there ? &known : nullptr, now(), f.epoch);
    if (now_is != core::standing::live)
        reject(r, now_is, f.epoch);
    return known.expires_us;
}

void register_fence() {
    stream::set_fence([](fence const &f) { (void)hold(f); });
}

} // namespace weir::lease
