// SPDX-License-Identifier: PostgreSQL
//
// weir's own SQLSTATEs, and the way from a failure of the core to an ereport().
// Class WR is outside of what the SQL standard reserves. Standard codes are used
// wherever one fits; 40001 only where a blind retry, as drivers do it, is right.
//
//   WR001 stream_closed          append to a closed stream
//   WR002 already_exists         create of a stream, or of another subscription, that is there
//   WR003 cursor_ahead           a cursor beyond everything the log ever gave out
//   WR004 cursor_expired         a cursor below what retention kept
//   WR005 idempotency_conflict   another request under a key already used
//   WR006 summary_expired        a summary as of before what compaction kept
//   WR010 lease_not_held         a lease that nobody has, or that was released
//   WR011 lease_revoked          a lease taken away
//   WR012 lease_expired          a lease not renewed in time
//   WR013 stale_lease            a lease that another has by now, or at another epoch
#pragma once

#include "pg/pg.hpp"

#include "core/failure.hpp"

namespace weir::pg {

inline constexpr int errcode_stream_closed = MAKE_SQLSTATE('W', 'R', '0', '0', '1');
inline constexpr int errcode_already_exists = MAKE_SQLSTATE('W', 'R', '0', '0', '2');
inline constexpr int errcode_cursor_ahead = MAKE_SQLSTATE('W', 'R', '0', '0', '3');
inline constexpr int errcode_cursor_expired = MAKE_SQLSTATE('W', 'R', '0', '0', '4');
inline constexpr int errcode_idempotency_conflict = MAKE_SQLSTATE('W', 'R', '0', '0', '5');
inline constexpr int errcode_summary_expired = MAKE_SQLSTATE('W', 'R', '0', '0', '6');
inline constexpr int errcode_lease_not_held = MAKE_SQLSTATE('W', 'R', '0', '1', '0');
inline constexpr int errcode_lease_revoked = MAKE_SQLSTATE('W', 'R', '0', '1', '1');
inline constexpr int errcode_lease_expired = MAKE_SQLSTATE('W', 'R', '0', '1', '2');
inline constexpr int errcode_stale_lease = MAKE_SQLSTATE('W', 'R', '0', '1', '3');

// Raises what a core call left behind. Call it after the core has returned.
[[noreturn]] void report(core::failure const &why);

} // namespace weir::pg
