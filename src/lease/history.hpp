// SPDX-License-Identifier: PostgreSQL
//
// What happens to leases, as events in a stream for each namespace: `leases`, or
// `leases/acme` where the headers of the lease say {"namespace": "acme"}. An event is
// a durable frame, part of the transaction that it tells of and minted as that commits
// (outbox/buffer.hpp), so that a long one does not hold the others back. The locks of
// leases last until commit: so the events of a lease come in the order of what happened.
//
//   type      acquired, renewed, expired, reclaimed, revoked, released
//   payload   lease, epoch, owner (whose epoch it is), previous_owner (who had the one
//             before), reason; ttl_ms where it is held after the event; by, where
//             somebody else ended it
//   headers   those of the lease, and its name as "lease", so that a reader can filter
//             by name, namespace or tag
#pragma once

#include "pg/pg.hpp"

#include "lease/row.hpp"

namespace weir::lease {

enum class happening { acquired, renewed, expired, reclaimed, revoked, released };

// A frame to be. The stream is that of the lease as it was then.
struct event {
    std::string_view stream;
    happening what;
    Datum payload;
    Datum headers;
};

// reason: text or NULL.
event event_of(happening what, row const &r, NullableDatum reason);

// All of it is copied.
void write(event const &e);

// Nobody else writes there.
void reserve_streams();

inline constexpr std::string_view stream_prefix = "leases";

// The headers of a lease as its events carry them; checks them and gives the namespace. Its history is written to by
// whoever has level write for the name of that stream, though nobody can append there; that of no namespace, by all.
Datum event_headers(std::string_view name, NullableDatum headers, NullableDatum &out_namespace);

} // namespace weir::lease
