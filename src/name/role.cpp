// SPDX-License-Identifier: PostgreSQL
//
// The type weir.role, of the columns of weir's own tables that name a role: regrole in everything but this. Servers
// joined by logical replication do not have each other's roles, and a row is read before log/foreign.cpp leaves it out.
#include "pg/pg.hpp"

#include "pg/function.hpp"

WEIR_FUNCTION(weir_role_in) { return IsLogicalWorker() ? ObjectIdGetDatum(InvalidOid) : regrolein(fcinfo); }
