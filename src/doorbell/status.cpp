// SPDX-License-Identifier: PostgreSQL
//
// What the doorbell of this database did, for the view weir.doorbell.
#include "pg/pg.hpp"

#include "doorbell/shared.hpp"
#include "pg/function.hpp"
#include "worker/worker.hpp"

WEIR_FUNCTION(weir_doorbell_status) {
    weir::doorbell::prepare_shared();
    weir::worker::status s = weir::worker::own_status();
    weir::worker::figures const &f = s.counted;
    Datum values[] = {Int32GetDatum(s.pid),       BoolGetDatum(s.can_start || !s.known),
                      Int64GetDatum(f.rings),     Int64GetDatum(f.sent),
                      Int64GetDatum(f.coalesced), Int64GetDatum(f.looked),
                      Int64GetDatum(f.own),       Int64GetDatum(f.in_commit),
                      Int64GetDatum(f.starts),    Int64GetDatum(f.failures),
                      Int64GetDatum(f.held_back), BoolGetDatum(weir::doorbell::is_shared())};
    bool nulls[12] = {};
    nulls[0] = s.pid == 0;
    return weir::pg::make_row(fcinfo, values, nulls);
}
