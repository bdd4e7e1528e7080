// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/error.hpp"
#include "pg/settings.hpp"
#include "pg/spi.hpp"
#include "pg/text.hpp"
#include "stream/housekeeping.hpp"
#include "stream/idempotency.hpp"

namespace weir::stream {

namespace {

namespace spi = pg::spi;

constinit spi::statement claim_statement{
    "INSERT INTO weir.idempotency AS i (stream_id, key, request, called_at)"
    " VALUES ($1, $2, $3, pg_catalog.clock_timestamp())"
    " ON CONFLICT (stream_id, key) DO UPDATE"
    " SET request = EXCLUDED.request, called_at = EXCLUDED.called_at, first_id = NULL, last_id = NULL, version = NULL"
    " WHERE i.called_at OPERATOR(pg_catalog.<) $4 RETURNING true",
    4,
    {INT8OID, TEXTOID, BYTEAOID, TIMESTAMPTZOID}};

constinit spi::statement earlier_statement{
    "SELECT request, first_id::bigint, last_id::bigint, version FROM weir.idempotency"
    " WHERE stream_id OPERATOR(pg_catalog.=) $1 AND key OPERATOR(pg_catalog.=) $2",
    2,
    {INT8OID, TEXTOID}};

constinit spi::statement record_statement{
    "UPDATE weir.idempotency SET first_id = $3::weir.position, last_id = $4::weir.position, version = $5"
    " WHERE stream_id OPERATOR(pg_catalog.=) $1 AND key OPERATOR(pg_catalog.=) $2",
    5,
    {INT8OID, TEXTOID, INT8OID, INT8OID, INT8OID}};

constinit spi::statement expire_statement{"DELETE FROM weir.idempotency WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY("
                                          " SELECT ctid FROM weir.idempotency WHERE called_at OPERATOR(pg_catalog.<) $1"
                                          " ORDER BY called_at LIMIT 256 FOR UPDATE SKIP LOCKED))",
                                          1,
                                          {TIMESTAMPTZOID}};

constinit spi::statement forget_statement{
    "DELETE FROM weir.idempotency WHERE stream_id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}};

constexpr uint64 at_once = 256; // as in the statement

constinit spi::statement oldest_statement{"SELECT called_at FROM weir.idempotency ORDER BY called_at LIMIT 1", 0, {}};

struct digest {
    pg_cryptohash_ctx *context;

    void add(void const *data, std::size_t size) {
        uint64 length = size; // so that neighbours cannot flow into each other
        if (pg_cryptohash_update(context, reinterpret_cast<uint8 const *>(&length), sizeof length) < 0 ||
            pg_cryptohash_update(context, static_cast<uint8 const *>(data), size) < 0)
            elog(ERROR, "could not compute digest: %s", pg_cryptohash_error(context));
    }
    void add(NullableDatum const &value) {
        if (value.isnull)
            return add(nullptr, 0);
        auto *v = reinterpret_cast<varlena *>(DatumGetPointer(value.value));
        add("", 1);
        add(VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
    }
};

// Of everything that makes a request what it is.
bytea *digest_of(request const &r) {
    digest d{pg_cryptohash_create(PG_SHA256)};
    if (d.context == nullptr || pg_cryptohash_init(d.context) < 0)
        elog(ERROR, "could not compute digest");
    char kind[] = {static_cast<char>(r.mode), r.best_effort ? '1' : '0', r.bytes ? '1' : '0',
                   r.types == nullptr ? '0' : '1', r.headers_each == nullptr ? '0' : '1'};
    d.add(kind, sizeof kind);
    d.add(r.type);
    d.add(r.headers);
    for (int i = 0; i < r.count; i++) {
        d.add({r.values[i], false});
        if (r.types != nullptr)
            d.add(r.types[i]);
        if (r.headers_each != nullptr)
            d.add(r.headers_each[i]);
    }
    auto *out = static_cast<bytea *>(palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH));
    SET_VARSIZE(out, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
    if (pg_cryptohash_final(d.context, reinterpret_cast<uint8 *>(VARDATA(out)), PG_SHA256_DIGEST_LENGTH) < 0)
        elog(ERROR, "could not compute digest: %s", pg_cryptohash_error(d.context));
    pg_cryptohash_free(d.context);
    return out;
}

TimestampTz window_start() {
    return GetCurrentTimestamp() - static_cast<int64>(pg::settings::idempotency_window) * USECS_PER_SEC;
}

int64 integer(uint64 row, int n) {
    bool null = false;
    Datum value = spi::column(row, n, &null);
    return null ? -1 : DatumGetInt64(value);
}

} // namespace

bool recall_result(int64 stream_id, request const &r, written &result) {
    bytea *digest = digest_of(r);
    spi::session session = spi::begin(log::relation_oid(log_source));
    Datum values[] = {Int64GetDatum(stream_id), r.key.value, PointerGetDatum(digest),
                      TimestampTzGetDatum(window_start())};
    bool earlier = spi::write(claim_statement, values, nullptr) == 0;
    if (earlier) {
        Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
        if (spi::read(earlier_statement, values, nullptr, latest) != 1)
            elog(ERROR, "idempotency key vanished");
        bool null = false;
        Datum request = spi::column(0, 1, &null);
        std::string_view key = pg::view_of(r.key.value);
        if (pg::view_of(request) != pg::view_of(PointerGetDatum(digest)))
            ereport(ERROR, (errcode(pg::errcode_idempotency_conflict),
                            errmsg("idempotency key \"%.*s\" was used for another request", pg::shown(key), key.data()),
                            errdetail("The stream is \"%.*s\".", pg::shown(r.name), r.name.data()),
                            errhint("A retry must repeat the call exactly; a new call needs a new key.")));
        result = {integer(0, 2), integer(0, 3), 0, integer(0, 4), 0};
        if (result.first_id < 0)
            elog(ERROR, "idempotency key has no result");
        UnregisterSnapshot(latest);
    }
    spi::end(session);
    ask_to_expire_keys();
    return earlier;
}

// A key is of no worth after the window, whether it has been deleted by then or not.
worker::outcome expire_keys_step(int64) {
    worker::outcome out;
    spi::session session = spi::begin(log::relation_oid(log_source));
    Datum before = TimestampTzGetDatum(window_start());
    if (spi::write(expire_statement, &before, nullptr) == at_once) {
        out.what = worker::outcome::what::more;
    } else if (spi::write(oldest_statement, nullptr, nullptr) == 1) {
        bool null = false;
        int64 left_us = DatumGetTimestampTz(spi::column(0, 1, &null)) - window_start();
        out.due_us = left_us > USECS_PER_SEC ? left_us : USECS_PER_SEC;
    }
    spi::end(session);
    return out;
}

void record_result(int64 stream_id, request const &r, written const &result) {
    spi::session session = spi::begin(log::relation_oid(log_source));
    Datum values[] = {Int64GetDatum(stream_id), r.key.value, Int64GetDatum(result.first_id),
                      Int64GetDatum(result.last_id), Int64GetDatum(result.version)};
    if (spi::write(record_statement, values, nullptr) != 1)
        elog(ERROR, "claim of an idempotency key vanished");
    spi::end(session);
}

void forget_keys(int64 stream_id) {
    spi::session session = spi::begin(log::relation_oid(log_source));
    Datum value = Int64GetDatum(stream_id);
    spi::write(forget_statement, &value, nullptr);
    spi::end(session);
}

} // namespace weir::stream
