// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/attempt.hpp"

namespace weir::pg {

ErrorData *try_in_subtransaction(void (*what)(void *context), void *context) {
    MemoryContext memory = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    ErrorData *volatile error = nullptr;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(memory);
    PG_TRY();
    {
        what(context);
        ReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(memory);
        error = CopyErrorData();
        FlushErrorState();
        RollbackAndReleaseCurrentSubTransaction();
    }
    PG_END_TRY();
    MemoryContextSwitchTo(memory);
    CurrentResourceOwner = owner;
    return error;
}

bool attempt(void (*what)(void *context), void *context, const char *doing) {
    ErrorData *error = try_in_subtransaction(what, context);
    if (error == nullptr)
        return true;
    if (doing != nullptr)
        ereport(LOG, (errcode(error->sqlerrcode), errmsg("could not %s: %s", doing, error->message),
                      error->detail != nullptr ? errdetail_internal("%s", error->detail) : 0));
    FreeErrorData(error);
    return false;
}

} // namespace weir::pg
