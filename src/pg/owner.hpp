// SPDX-License-Identifier: PostgreSQL
//
// Working as the owner of weir's tables, to whom alone they are open. An error in
// between needs no care: the abort of the (sub)transaction restores the user.
#pragma once

#include "pg/pg.hpp"

namespace weir::pg {

struct owner_scope {
    Oid user;
    int context;
};

// InvalidOid where the relation was dropped.
inline Oid owner_of(Oid relation) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple))
        return InvalidOid;
    Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

// relation: any of weir's.
inline owner_scope become_owner(Oid relation) {
    Oid owner = owner_of(relation);
    if (!OidIsValid(owner))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("the extension weir was dropped meanwhile"),
                        errhint("Run CREATE EXTENSION weir.")));
    owner_scope before;
    GetUserIdAndSecContext(&before.user, &before.context);
    SetUserIdAndSecContext(owner, before.context | SECURITY_LOCAL_USERID_CHANGE);
    return before;
}

inline void become_caller(owner_scope const &before) { SetUserIdAndSecContext(before.user, before.context); }

} // namespace weir::pg
