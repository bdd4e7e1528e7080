// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "trigger/plan.hpp"

namespace weir::trigger {

namespace {

// Kept in sets of a few, chosen by the hash: nothing is moved or searched for long.
struct kept_plan {
    char *sql;
    Oid *types;
    int count;
    uint32 hash;
    int running;     // runs under way
    uint64 used;     // number of the run that used it last
    SPIPlanPtr plan; // nullptr: nothing is kept here
};
constexpr uint32 sets = 64;
constexpr uint32 ways = 4;
kept_plan kept[sets][ways];
uint64 runs = 0;

uint32 hash_of(statement const &st) {
    uint32 text = hash_bytes(reinterpret_cast<unsigned char const *>(st.sql), static_cast<int>(strlen(st.sql)));
    return hash_combine(
        text, hash_bytes(reinterpret_cast<unsigned char const *>(st.types), static_cast<int>(sizeof(Oid)) * st.count));
}

bool is_for(kept_plan const &k, statement const &st, uint32 hash) {
    return k.plan != nullptr && k.hash == hash && k.count == st.count &&
           memcmp(k.types, st.types, sizeof(Oid) * st.count) == 0 && strcmp(k.sql, st.sql) == 0;
}

kept_plan *find(statement const &st, uint32 hash) {
    for (kept_plan &k : kept[hash % sets]) {
        if (is_for(k, st, hash))
            return &k;
    }
    return nullptr;
}

// Free, or freed: the one that was used longest ago. nullptr: all are running.
kept_plan *make_room(uint32 hash) {
    kept_plan *oldest = nullptr;
    for (kept_plan &k : kept[hash % sets]) {
        if (k.plan == nullptr)
            return &k;
        if (k.running == 0 && (oldest == nullptr || k.used < oldest->used))
            oldest = &k;
    }
    if (oldest == nullptr)
        return nullptr;
    SPIPlanPtr plan = oldest->plan;
    oldest->plan = nullptr;
    pfree(oldest->sql);
    pfree(oldest->types);
    SPI_freeplan(plan);
    return oldest;
}

void keep(kept_plan &k, statement const &st, uint32 hash, SPIPlanPtr plan) {
    char *sql = MemoryContextStrdup(TopMemoryContext, st.sql);
    auto *types = static_cast<Oid *>(MemoryContextAlloc(TopMemoryContext, sizeof(Oid) * (st.count + 1)));
    memcpy(types, st.types, sizeof(Oid) * st.count);
    if (SPI_keepplan(plan) != 0)
        elog(ERROR, "SPI_keepplan failed");
    k = {sql, types, st.count, hash, 0, 0, plan};
}

SPIPlanPtr prepare(statement const &st) {
    SPIPlanPtr plan = SPI_prepare(st.sql, st.count, const_cast<Oid *>(st.types));
    if (plan == nullptr)
        elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
    return plan;
}

uint64 execute(SPIPlanPtr plan, Datum const *values, const char *nulls) {
    int code = SPI_execute_plan(plan, const_cast<Datum *>(values), nulls, false, 0);
    if (code < 0)
        elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(code));
    return SPI_processed;
}

} // namespace

uint64 run(statement const &st, Datum const *values, const char *nulls) {
    uint32 hash = hash_of(st);
    kept_plan *k = find(st, hash);
    if (k == nullptr) {
        SPIPlanPtr plan = prepare(st);
        k = find(st, hash); // planning may have run triggers of its own
        if (k == nullptr && (k = make_room(hash)) == nullptr)
            return execute(plan, values, nulls); // gone with SPI_finish()
        if (k->plan == nullptr)
            keep(*k, st, hash, plan);
    }
    k->used = ++runs;
    k->running++;
    uint64 rows = 0;
    PG_TRY();
    {
        rows = execute(k->plan, values, nulls);
    }
    PG_FINALLY();
    {
        k->running--;
    }
    PG_END_TRY();
    return rows;
}

Datum result(SPITupleTable const *rows, uint64 row, int column, Oid type, bool *null) {
    if (Oid is = SPI_gettypeid(rows->tupdesc, column); is != type)
        ereport(ERROR,
                (errcode(ERRCODE_DATATYPE_MISMATCH),
                 errmsg("column \"%s\" must be of type %s", SPI_fname(rows->tupdesc, column), format_type_be(type)),
                 errdetail("It is of type %s.", format_type_be(is)),
                 errhint("A table was altered while a trigger was working on it. Run the statement again.")));
    return SPI_getbinval(rows->vals[row], rows->tupdesc, column, null);
}

} // namespace weir::trigger
