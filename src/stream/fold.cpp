// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/document_bound.hpp"
#include "core/merge_patch.hpp"
#include "core/position.hpp"
#include "log/scan.hpp"
#include "pg/error.hpp"
#include "pg/memory.hpp"
#include "pg/settings.hpp"
#include "pg/spi.hpp"
#include "pg/text.hpp"
#include "stream/fold.hpp"
#include "stream/names.hpp"
#include "stream/properties.hpp"

namespace weir::stream {

namespace {

namespace spi = pg::spi;

#define CHECKPOINT_COLUMNS                                                                                             \
    "\"position\"::bigint, frames, bytes, trimmed_frames, trimmed_bytes, trimmed_below::bigint, version,"              \
    " patched_at::bigint, first_patch::bigint, pg_catalog.pg_column_size(document)::bigint, trimmed_upto::bigint"
#define NEWEST_UPTO                                                                                                    \
    " FROM weir.checkpoint WHERE stream_id OPERATOR(pg_catalog.=) $1"                                                  \
    " AND \"position\" OPERATOR(pg_catalog.<=) $2::weir.position ORDER BY \"position\" DESC LIMIT 1"

constinit spi::statement counts_statement{"SELECT " CHECKPOINT_COLUMNS NEWEST_UPTO, 2, {INT8OID, INT8OID}};
constinit spi::statement document_statement{
    "SELECT " CHECKPOINT_COLUMNS ", document" NEWEST_UPTO, 2, {INT8OID, INT8OID}};

int64 integer(int n, int64 if_null) {
    bool null = false;
    Datum value = spi::column(0, n, &null);
    return null ? if_null : DatumGetInt64(value);
}

folded start_from_checkpoint(int64 stream_id, int64 upto, Snapshot snapshot, want what) {
    folded f{};
    f.position = f.patched_at = f.first_patch = f.unsettled = -1;
    spi::session session = spi::begin(log::relation_oid(log_source));
    Datum values[] = {Int64GetDatum(stream_id), Int64GetDatum(upto)};
    spi::statement &st = what == want::counts ? counts_statement : document_statement;
    if (spi::read(st, values, nullptr, snapshot) == 1) {
        f.position = integer(1, -1);
        f.frames = integer(2, 0);
        f.bytes = integer(3, 0);
        f.trimmed_frames = integer(4, 0);
        f.trimmed_bytes = integer(5, 0);
        f.trimmed_below = integer(6, 0);
        f.packed_version = integer(7, 0);
        f.version = core::document_bound::unpack(f.packed_version).version;
        f.patched_at = integer(8, -1);
        f.first_patch = integer(9, -1);
        f.document_size = integer(10, 0);
        f.trimmed_upto = integer(11, 0);
        if (what != want::counts) {
            bool null = false;
            Datum document = spi::column(0, 12, &null);
            f.too_large = null && f.version > 0; // when a trim took its patches
            if (!null) {
                MemoryContext before = MemoryContextSwitchTo(session.memory);
                f.document = DatumGetJsonbPCopy(document);
                MemoryContextSwitchTo(before);
            }
        }
    }
    spi::end(session);
    return f;
}

// Patches on their way into a document. They are kept until they amount to a few
// megabytes, then applied, so that memory is bounded whatever the log holds.
struct pending_patches {
    static constexpr std::size_t most = 8 * 1024 * 1024;

    int64 stream_id;
    Snapshot snapshot;
    std::string_view sentinel;
    MemoryContext memory; // of patches and overlay; reset when applied
    core::fold *fold;
    std::size_t size;
    int64 upto;
    int64 replaced_at; // patches before it do not matter, -1: none is known to be like that
};

// More than this is not folded: it takes seconds, and a jsonb holds no more than 256 MB. Well
// above what is accepted, for a limit that was lowered.
std::size_t max_folded() {
    constexpr std::size_t least = 64 * 1024 * 1024;
    std::size_t twice = 2 * static_cast<std::size_t>(pg::settings::max_document_bytes);
    return twice > least ? twice : least;
}

// The last settled patch after a position that replaces the document, -1: there is none.
int64 last_replacement(pending_patches const &p, int64 after) {
    int64 found = -1;
    log::table logged = log::open(log_source, AccessShareLock);
    log::scan s;
    log::begin(s, logged, p.stream_id, after, p.upto, ForwardScanDirection, p.snapshot);
    while (log::next(s) == log::step::frame) {
        if (log::prefix_of<log_prefix>(s)->mode == static_cast<char>(mode::replace))
            found = s.id;
    }
    log::end(s);
    log::close(logged);
    return found;
}

// Goes on behind what makes the document small again, if anything does.
void give_up(pending_patches &p, folded &f) {
    p.fold = nullptr;
    p.size = 0;
    MemoryContextReset(p.memory);
    f.document = nullptr;
    f.too_large = true;
    p.replaced_at = last_replacement(p, f.position);
}

void start_folding(pending_patches &p) {
    if (p.memory == nullptr) {
        p.memory = AllocSetContextCreate(CurrentMemoryContext, "weir patches", ALLOCSET_DEFAULT_SIZES);
        p.sentinel = properties_seen(p.stream_id, p.snapshot).text(property::null_sentinel);
    }
    core::failure why;
    p.fold = core::fold_begin(pg::memory_of(p.memory), p.sentinel, core::depth_limit, why);
    if (p.fold == nullptr)
        pg::report(why);
}

void apply_pending(pending_patches &p, folded &f) {
    if (p.fold == nullptr)
        return;
    core::failure why;
    core::merge_result result{};
    core::jsonb_bytes base = f.document != nullptr ? pg::container_of(f.document) : core::jsonb_bytes{};
    if (!core::fold_finish(p.fold, base, result, why)) {
        if (why.code != core::errc::too_large)
            pg::report(why);
        give_up(p, f);
        return;
    }
    if (result.varlena_size() > max_folded()) {
        give_up(p, f);
        return;
    }
    auto *document = static_cast<Jsonb *>(palloc(result.varlena_size()));
    memcpy(document, DatumGetPointer(pg::to_datum(result)), result.varlena_size());
    if (f.document != nullptr)
        pfree(f.document);
    f.document = document;
    p.fold = nullptr;
    p.size = 0;
    MemoryContextReset(p.memory);
}

void start_over_document(pending_patches &p, folded &f) {
    if (p.memory != nullptr)
        MemoryContextReset(p.memory);
    p.fold = nullptr;
    p.size = 0;
    f.document = nullptr;
    f.too_large = false;
}

void take_patch(pending_patches &p, folded &f, TupleTableSlot *slot, bool replaces) {
    if (f.position < p.replaced_at)
        return;
    if (replaces)
        start_over_document(p, f);
    if (f.too_large)
        return;
    if (p.fold == nullptr)
        start_folding(p);
    bool null = false;
    Datum value = slot_getattr(slot, log_column::payload, &null);
    MemoryContext before = MemoryContextSwitchTo(p.memory);
    Jsonb *patch = DatumGetJsonbPCopy(value);
    MemoryContextSwitchTo(before);
    core::failure why;
    if (!core::fold_apply(p.fold, pg::container_of(patch), core::patch_root::object, why))
        pg::report(why);
    p.size += VARSIZE(patch);
    if (p.size > pending_patches::most)
        apply_pending(p, f);
}

void start_over(folded &f) {
    f.frames = f.bytes = f.trimmed_frames = f.trimmed_bytes = f.trimmed_below = f.trimmed_upto = f.version = 0;
    f.packed_version = 0;
    f.patched_at = f.first_patch = -1;
    f.document = nullptr;
    f.document_size = 0;
}

void take_row(folded &f, log::scan &s, pending_patches &p, want what) {
    log_prefix const *row = log::prefix_of<log_prefix>(s);
    if (is_guard(*row)) // so that a checkpoint stands at a row that its readers know
        return;
    f.position = s.id;
    f.rows++;
    switch (static_cast<mode>(row->mode)) {
    case mode::summary:
    case mode::replace:
        f.packed_version = row->version;
        f.version = core::document_bound::unpack(row->version).version;
        f.patched_at = s.id;
        if (f.first_patch < 0)
            f.first_patch = s.id;
        if (what != want::counts)
            take_patch(p, f, s.slot, row->mode == static_cast<char>(mode::replace));
        [[fallthrough]];
    case mode::durable:
        f.frames++;
        f.bytes += frame_size(s.slot, log_column::type);
        break;
    case mode::dropped:
        start_over(f);
        start_over_document(p, f);
        break;
    case mode::close:
    case mode::ended:
    case mode::trimmed:
    case mode::guard:
        break;
    }
}

} // namespace

int64 frame_size(TupleTableSlot *slot, int type_column) {
    int64 size = 0;
    slot_getallattrs(slot);
    for (int i = type_column - 1; i < type_column + 3; i++) {
        if (!slot->tts_isnull[i])
            size += static_cast<int64>(toast_raw_datum_size(slot->tts_values[i])) - VARHDRSZ;
    }
    return size;
}

folded fold_log(int64 stream_id, int64 upto, Snapshot snapshot, want what) {
    folded f = start_from_checkpoint(stream_id, upto, snapshot, what);
    pending_patches patches{};
    patches.stream_id = stream_id;
    patches.snapshot = snapshot;
    patches.upto = upto;
    patches.replaced_at = -1;
    log::table logged = log::open(log_source, AccessShareLock);
    log::track_reading(logged, snapshot);
    log::scan s;
    log::begin(s, logged, stream_id, f.position, upto, ForwardScanDirection, snapshot);
    for (log::step step = log::next(s); step != log::step::end; step = log::next(s)) {
        if (step == log::step::unsettled) {
            f.unsettled = s.id;
            f.blocker = s.blocker;
            break;
        }
        take_row(f, s, patches, what);
    }
    log::end(s);
    log::close(logged);
    apply_pending(patches, f);
    if (f.too_large && what == want::document)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("summary document is too large"),
                        errhint("Replace it with weir.append_patch(…, replace => true).")));
    return f;
}

int64 checkpoint_position(int64 stream_id, Snapshot snapshot) {
    return start_from_checkpoint(stream_id, core::greatest, snapshot, want::counts).position;
}

} // namespace weir::stream
