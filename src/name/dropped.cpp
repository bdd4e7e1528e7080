// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/table.hpp"
#include "name/registry.hpp"
#include "pg/spi.hpp"

namespace weir::name {

namespace {

namespace spi = pg::spi;

constinit log::source registry_table{"registry"};

constinit spi::statement oldest_statement{
    "SELECT id, name FROM weir.registry WHERE dropped_at OPERATOR(pg_catalog.<) $1::weir.position"
    " AND kind OPERATOR(pg_catalog.=) $2 ORDER BY dropped_at LIMIT 8 OFFSET $3",
    3,
    {INT8OID, CHAROID, INT8OID}};
static_assert(dropped_at_once == 8);

constinit spi::statement forget_statement{"DELETE FROM weir.registry WHERE id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}};

} // namespace

int list_dropped(kind const &of, int64 below, int64 passed, dropped (&out)[dropped_at_once]) {
    spi::session session = spi::begin(log::relation_oid(registry_table));
    Datum values[] = {Int64GetDatum(below), CharGetDatum(of.code), Int64GetDatum(passed)};
    auto count = static_cast<int>(spi::write(oldest_statement, values, nullptr));
    MemoryContext inner = MemoryContextSwitchTo(session.memory);
    for (int i = 0; i < count; i++) {
        bool null = false;
        out[i].id = DatumGetInt64(spi::column(i, 1, &null));
        text *copy = DatumGetTextPCopy(spi::column(i, 2, &null));
        out[i].name = {VARDATA(copy), VARSIZE(copy) - VARHDRSZ};
    }
    MemoryContextSwitchTo(inner);
    spi::end(session);
    return count;
}

void forget(int64 id) {
    spi::session session = spi::begin(log::relation_oid(registry_table));
    Datum value = Int64GetDatum(id);
    spi::write(forget_statement, &value, nullptr);
    spi::end(session);
}

} // namespace weir::name
