// SPDX-License-Identifier: PostgreSQL
//
// A worker's view of its post.
#pragma once

#include "pg/pg.hpp"

#include "worker/shared.hpp"

namespace weir::worker {

// Takes the post up; false: another worker has it. At exit, however it comes
// about, it is given up, and the work put back by put_back().
bool take_up(kind which, void (*put_back)());

// Before looking for work: what is rung from now on is to be looked for again.
void answer(kind which);
bool is_rung(kind which);

// While pausing: nobody need signal, it will be looked at anyway.
void do_not_disturb(kind which);

// Gives the post up; false: it has just been rung.
bool leave(kind which);

// A round went well: failures are forgotten, and what it did is counted.
void report_success(kind which, figures const &done);

} // namespace weir::worker
