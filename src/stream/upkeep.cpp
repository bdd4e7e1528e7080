// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/position.hpp"
#include "pg/key_lock.hpp"
#include "pg/snapshot.hpp"
#include "pg/spi.hpp"
#include "stream/housekeeping.hpp"
#include "stream/upkeep.hpp"

namespace weir::stream {

namespace {

namespace spi = pg::spi;

// So many rows are worth a checkpoint; patches are dearer to fold than frames are to
// count, and a large document is dear to write.
constexpr int64 few = 512;
constexpr int64 few_patches = 256;
constexpr int64 bytes_a_run = 64 * 1024; // of a stored document that one more run has to earn
constexpr int64 max_runs = 8;

constinit spi::statement insert_statement{
    "INSERT INTO weir.checkpoint (stream_id, \"position\", frames, bytes, trimmed_frames, trimmed_bytes,"
    " trimmed_below, version, patched_at, first_patch, document, trimmed_upto)"
    " VALUES ($1, $2::weir.position, $3, $4, $5, $6, $7::weir.position, $8, $9::weir.position,"
    " $10::weir.position, $11, $12::weir.position)",
    12,
    {INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, JSONBOID, INT8OID}};

constinit spi::statement delete_between_statement{
    "DELETE FROM weir.checkpoint WHERE stream_id OPERATOR(pg_catalog.=) $1"
    " AND \"position\" OPERATOR(pg_catalog.<) $2::weir.position AND \"position\"::bigint OPERATOR(pg_catalog.<>) $3",
    3,
    {INT8OID, INT8OID, INT8OID}};

constinit spi::statement delete_all_statement{
    "DELETE FROM weir.checkpoint WHERE stream_id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}};

void insert(int64 stream_id, folded const &f) {
    Datum values[] = {Int64GetDatum(stream_id),       Int64GetDatum(f.position),       Int64GetDatum(f.frames),
                      Int64GetDatum(f.bytes),         Int64GetDatum(f.trimmed_frames), Int64GetDatum(f.trimmed_bytes),
                      Int64GetDatum(f.trimmed_below), Int64GetDatum(f.packed_version), Int64GetDatum(f.patched_at),
                      Int64GetDatum(f.first_patch),   PointerGetDatum(f.document),     Int64GetDatum(f.trimmed_upto)};
    bool nulls[12] = {};
    nulls[8] = f.patched_at < 0;
    nulls[9] = f.first_patch < 0;
    nulls[10] = f.document == nullptr;
    spi::write(insert_statement, values, nulls);
}

// Where the edge checkpoint stands: just below what the trim left.
int64 edge_of(folded const &f) { return f.trimmed_below > 0 ? f.trimmed_below - 1 : -1; }

void replace_newest(int64 stream_id, folded const &newest) {
    spi::session session = spi::begin(log::relation_oid(log_source));
    insert(stream_id, newest);
    Datum values[] = {Int64GetDatum(stream_id), Int64GetDatum(newest.position), Int64GetDatum(edge_of(newest))};
    spi::write(delete_between_statement, values, nullptr);
    spi::end(session);
}

} // namespace

worker::outcome checkpoint_step(int64 stream_id) {
    if (!pg::try_lock_key(pg::lock_class::maintenance, 0, stream_id))
        return {worker::outcome::what::not_now}; // whoever has it may write one, or may not
    Snapshot latest = pg::take_snapshot();
    folded newest = fold_log(stream_id, core::greatest, latest, want::counts);
    int64 runs = 1 + newest.document_size / bytes_a_run;
    int64 enough = (runs < max_runs ? runs : max_runs) * (newest.patched_at >= 0 ? few_patches : few);
    if (newest.rows >= enough) {
        if (newest.patched_at >= 0)
            newest = fold_log(stream_id, newest.position, latest, want::document_within_bounds);
        if (!newest.too_large) // else the patches are all there is of the document
            replace_newest(stream_id, newest);
    }
    UnregisterSnapshot(latest);
    return {};
}

void save_checkpoints(int64 stream_id, folded const &edge, folded const &newest) {
    forget_checkpoints(stream_id);
    spi::session session = spi::begin(log::relation_oid(log_source));
    if (edge.position >= 0)
        insert(stream_id, edge);
    if (newest.position > edge.position)
        insert(stream_id, newest);
    spi::end(session);
}

void forget_checkpoints(int64 stream_id) {
    spi::session session = spi::begin(log::relation_oid(log_source));
    Datum value = Int64GetDatum(stream_id);
    spi::write(delete_all_statement, &value, nullptr);
    spi::end(session);
}

} // namespace weir::stream
