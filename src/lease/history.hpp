// SPDX-License-Identifier: PostgreSQL
//
// What happens to leases, as events in a stream for each namespace: `leases`, or
// `leases/acme` where the headers of the lease say {"namespace": "acme"}. An event is
// a durable frame, part of the transaction that it tells of, and read like any other.
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

// A frame to be. The topic is that of the lease as it was then.
struct event {
    std::string_view topic;
    happening what;
    Datum payload;
    Datum headers;
};

// reason: text or NULL.
event event_of(happening what, row const &r, NullableDatum reason);

event copy_of(event const &e); // in the current memory context

// Those of one topic that follow each other go there in one batch.
void write(event const *events, int count);

inline constexpr std::string_view topic_prefix = "leases";

// The headers of a lease as its events carry them; checks them and gives the namespace.
Datum event_headers(std::string_view name, NullableDatum headers, NullableDatum &out_namespace);

} // namespace weir::lease
