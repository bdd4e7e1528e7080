// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "worker/drain.hpp"
#include "worker/post.hpp"
#include "worker/round.hpp"

namespace weir::worker {

result doorbell_round() {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    drained d = drain();
    CommitTransactionCommand();
    settle(true);
    if (d.gone)
        return result::gone;
    if (!d.any)
        return result::nothing;
    d.done.held_back = d.held_back;
    report_success(d.done);
    return d.held_back ? result::not_now : result::done;
}

void put_back_doorbell() { settle(false); }

} // namespace weir::worker
