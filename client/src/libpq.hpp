// SPDX-License-Identifier: PostgreSQL
//
// What libpq hands out, owned.
#pragma once

#include <libpq-fe.h>

#include <memory>

namespace weir::inline v0 {
namespace internal {

struct libpq_free {
    void operator()(PGconn *p) const noexcept { PQfinish(p); }
    void operator()(PGresult *p) const noexcept { PQclear(p); }
    void operator()(PGnotify *p) const noexcept { PQfreemem(p); }
    void operator()(PGcancel *p) const noexcept { PQfreeCancel(p); }
    void operator()(PQconninfoOption *p) const noexcept { PQconninfoFree(p); }
    void operator()(char *p) const noexcept { PQfreemem(p); }
};
template <class T> using owned = std::unique_ptr<T, libpq_free>;

using pg_result = owned<PGresult>;

} // namespace internal
} // namespace weir::inline v0
