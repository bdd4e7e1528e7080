// SPDX-License-Identifier: PostgreSQL
//
// weir's sequences as what they are here: one durable integer outside of
// transactions. A value that was written is seen by everyone at once and stays,
// whatever becomes of the transaction; it is flushed with the next commit. As
// the owner of the sequence, to whom alone it is open.
#pragma once

#include "pg/pg.hpp"

namespace weir::pg {

// 0 where it was never written.
inline int64 read_sequence(Oid sequence) {
    LOCAL_FCINFO(call, 1);
    FmgrInfo function;
    fmgr_info(F_PG_SEQUENCE_LAST_VALUE, &function);
    InitFunctionCallInfoData(*call, &function, 1, InvalidOid, nullptr, nullptr);
    call->args[0].value = ObjectIdGetDatum(sequence);
    call->args[0].isnull = false;
    Datum value = FunctionCallInvoke(call);
    return call->isnull ? 0 : DatumGetInt64(value);
}

inline void write_sequence(Oid sequence, int64 value) {
    DirectFunctionCall2(setval_oid, ObjectIdGetDatum(sequence), Int64GetDatum(value));
}

} // namespace weir::pg
