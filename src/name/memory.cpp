// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "log/table.hpp"
#include "name/memory.hpp"
#include "pg/invalidation.hpp"

namespace weir::name {

namespace {

constexpr uint32 slots = 4096;
remembered *by_name = nullptr;
remembered *by_id = nullptr; // for those who go from ids to names; hash and kind are not used
MemoryContext names = nullptr;

bool forget_pending = false;
void forget_later() { forget_pending = true; }

remembered *slot_of(remembered *&table, uint32 hash) {
    if (forget_pending) {
        if (names != nullptr)
            MemoryContextReset(names);
        by_name = by_id = nullptr;
        forget_pending = false;
    }
    if (table == nullptr) {
        log::on_invalidate(forget_later);
        if (names == nullptr)
            names = AllocSetContextCreate(TopMemoryContext, "weir names", ALLOCSET_DEFAULT_SIZES);
        table = static_cast<remembered *>(MemoryContextAllocZero(names, sizeof(remembered) * slots));
    }
    return &table[hash & (slots - 1)];
}

void fill(remembered *slot, std::string_view name, uint32 hash, int64 id, char kind) {
    if (slot->name != nullptr) {
        pfree(slot->name);
        slot->name = nullptr;
    }
    auto *copy = static_cast<char *>(MemoryContextAlloc(names, name.size()));
    memcpy(copy, name.data(), name.size());
    *slot = {copy, hash, static_cast<uint32>(name.size()), id, kind};
}

} // namespace

remembered const *recall(std::string_view name) {
    AcceptInvalidationMessages();
    uint32 hash = hash_of(name);
    remembered *slot = slot_of(by_name, hash);
    bool same = slot->name != nullptr && slot->hash == hash && slot->length == name.size() &&
                memcmp(slot->name, name.data(), name.size()) == 0;
    return same ? slot : nullptr;
}

remembered const *recall(int64 id) {
    AcceptInvalidationMessages();
    remembered *slot = slot_of(by_id, static_cast<uint32>(id));
    return slot->name != nullptr && slot->id == id ? slot : nullptr;
}

void remember(std::string_view name, int64 id, char kind, uint64 before) {
    uint32 hash = hash_of(name);
    remembered *slot = slot_of(by_name, hash);
    if (pg::invalidations() == before)
        fill(slot, name, hash, id, kind);
}

void remember_id(std::string_view name, int64 id, uint64 before) {
    auto hash = static_cast<uint32>(id);
    remembered *slot = slot_of(by_id, hash);
    if (pg::invalidations() == before)
        fill(slot, name, hash, id, 0);
}

} // namespace weir::name
