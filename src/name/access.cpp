// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/glob.hpp"
#include "log/table.hpp"
#include "name/access.hpp"
#include "pg/memory.hpp"
#include "pg/text.hpp"

namespace weir::name {

namespace {

// Of the table in sql/schema.sql.
enum { role_column = 1, level_column, names_column };

constinit log::source access_table{"access_grant"};

struct rule {
    std::string_view pattern;
    level upto;
};

// What a role may do.
struct rights {
    Oid role;
    uint64 as_of; // of changes
    level everywhere;
    rule *rules; // that add to it
    int count;
    MemoryContext memory; // of the rules
};

// Counts what any of it hangs on. 0 is never current.
uint64 changes = 1;
Oid watched_table = InvalidOid;

constexpr uint32 slots = 64, ways = 4; // a role is in one of so many slots
rights known[slots];

// For roles with many rules: what came of a name.
struct verdict {
    uint64 as_of;
    Oid role;
    level upto;
    uint8 size;
    char name[46]; // longer ones are not kept
};
constexpr uint32 verdicts = 512;
constexpr int many_rules = 4;
verdict *judged = nullptr;

// As invalidations do, these may come in the middle of anything: they free nothing.
void table_changed(Datum, Oid relation) {
    if (relation == InvalidOid || relation == watched_table)
        changes++;
}
void role_changed(Datum, int, uint32) { changes++; }

void watch() {
    static constinit bool watching = false;
    if (watching)
        return;
    CacheRegisterRelcacheCallback(table_changed, 0);
    for (int catalogue : {AUTHOID, AUTHMEMMEMROLE, AUTHMEMROLEMEM, NAMESPACEOID, DATABASEOID})
        CacheRegisterSyscacheCallback(catalogue, role_changed, 0);
    watching = true;
}

Acl *schema_privileges() {
    HeapTuple row = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(get_namespace_oid("weir", true)));
    if (!HeapTupleIsValid(row))
        return nullptr;
    bool null = false;
    Datum acl = SysCacheGetAttr(NAMESPACEOID, row, Anum_pg_namespace_nspacl, &null);
    Acl *copy = null ? nullptr : DatumGetAclPCopy(acl);
    ReleaseSysCache(row);
    return copy;
}

bool has_usage(Acl const *acl, Oid role) {
    for (int i = 0; acl != nullptr && i < ACL_NUM(acl); i++) {
        AclItem const &item = ACL_DAT(acl)[i];
        if (item.ai_grantee == role && (ACLITEM_GET_PRIVS(item) & ACL_USAGE) != 0)
            return true;
    }
    return false;
}

bool is_all(std::string_view pattern) { return pattern.find_first_not_of('*') == std::string_view::npos; }

void add(rights &r, std::string_view pattern, level upto) {
    if (is_all(pattern)) {
        r.everywhere = upto > r.everywhere ? upto : r.everywhere;
        return;
    }
    MemoryContext before = MemoryContextSwitchTo(r.memory);
    std::size_t bytes = sizeof(rule) * (static_cast<std::size_t>(r.count) + 1);
    r.rules = static_cast<rule *>(r.rules == nullptr ? palloc(bytes) : repalloc(r.rules, bytes));
    char *copy = pg::palloc_array_of<char>(pattern.size());
    memcpy(copy, pattern.data(), pattern.size());
    r.rules[r.count++] = {{copy, pattern.size()}, upto};
    MemoryContextSwitchTo(before);
}

void add_rows(rights &r, Relation table) {
    Acl *acl = schema_privileges();
    TupleDesc columns = RelationGetDescr(table);
    Snapshot latest = RegisterSnapshot(GetLatestSnapshot()); // also in a transaction that goes by an older one
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, latest, 0, nullptr);
    while (HeapTuple row = systable_getnext(scan)) {
        bool null = false;
        Oid grantee = DatumGetObjectId(heap_getattr(row, role_column, columns, &null));
        if (!has_usage(acl, grantee) || !has_privs_of_role(r.role, grantee))
            continue;
        std::string_view pattern = pg::view_of(heap_getattr(row, names_column, columns, &null));
        add(r, pattern, to_level(pg::view_of(heap_getattr(row, level_column, columns, &null))));
    }
    systable_endscan(scan);
    UnregisterSnapshot(latest);
}

// The counter is read before the snapshot is taken, so that what is remembered is either seen by it, or
// outdated by what is still to be processed.
void load(rights &r, Oid role) {
    r.as_of = 0;
    if (r.memory != nullptr)
        MemoryContextReset(r.memory);
    else
        r.memory = AllocSetContextCreate(TopMemoryContext, "weir access", ALLOCSET_SMALL_SIZES);
    r.role = role;
    r.everywhere = level::none;
    r.rules = nullptr;
    r.count = 0;
    uint64 before = changes;
    MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "weir access rows", ALLOCSET_SMALL_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(scratch);
    Relation table = log::open_relation(access_table, AccessShareLock);
    watched_table = RelationGetRelid(table);
    if (has_privs_of_role(role, table->rd_rel->relowner)) // as superusers do
        r.everywhere = level::admin;
    else
        add_rows(r, table);
    table_close(table, AccessShareLock);
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(scratch);
    r.as_of = before;
}

// Good until the next call: what came meanwhile counts from the next statement.
rights const &rights_of(Oid role) {
    AcceptInvalidationMessages();
    rights *spare = &known[role % slots];
    for (uint32 i = 0; i < ways; i++) {
        rights &r = known[(role + i) % slots];
        if (r.role == role && r.as_of == changes)
            return r;
        if (r.as_of != changes)
            spare = &r;
    }
    watch();
    load(*spare, role);
    return *spare;
}

level judge(rights const &r, std::string_view name) {
    level upto = r.everywhere;
    for (int i = 0; i < r.count; i++) {
        if (r.rules[i].upto > upto && core::glob_matches(r.rules[i].pattern, name))
            upto = r.rules[i].upto;
    }
    return upto;
}

level judge_once(rights const &r, std::string_view name) {
    if (r.count < many_rules || name.size() > sizeof(verdict::name))
        return judge(r, name);
    if (judged == nullptr)
        judged = static_cast<verdict *>(MemoryContextAllocZero(TopMemoryContext, sizeof(verdict) * verdicts));
    verdict &v = judged[(pg::hash_of(name) ^ r.role) % verdicts];
    if (v.as_of == r.as_of && v.role == r.role && std::string_view{v.name, v.size} == name)
        return v.upto;
    v = {r.as_of, r.role, judge(r, name), static_cast<uint8>(name.size()), {}};
    memcpy(v.name, name.data(), name.size());
    return v.upto;
}

// The pattern that means one name, as a literal of SQL.
char *pattern_of(std::string_view name) {
    char *pattern = pg::palloc_array_of<char>(name.size() * 2 + 1), *at = pattern;
    for (char c : name) {
        if (core::is_wild(c) || c == '\\')
            *at++ = '\\';
        *at++ = c;
    }
    *at = '\0';
    return quote_literal_cstr(pattern);
}

bool begins_with(std::string_view name, std::string_view prefix) { return name.substr(0, prefix.size()) == prefix; }

int by_bytes(void const *a, void const *b) {
    return static_cast<std::string_view const *>(a)->compare(*static_cast<std::string_view const *>(b));
}

[[noreturn]] void refuse(Oid role, level wanted, std::string_view name, std::string_view what) {
    std::string_view thing = what.substr(0, what.rfind(" name"));
    char *who = GetUserNameFromId(role, true);
    if (who == nullptr)
        who = psprintf("%u", role);
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied for %.*s \"%.*s\"", static_cast<int>(thing.size()), thing.data(),
                           pg::shown(name), name.data()),
                    errdetail("Role \"%s\" does not have level %s for this name.", who, name_of(wanted)),
                    errhint("The owner of the extension gives it with weir.grant_access(%s, '%s', names => %s).",
                            quote_literal_cstr(quote_identifier(who)), name_of(wanted), pattern_of(name))));
    pg_unreachable();
}

} // namespace

level to_level(std::string_view word) {
    for (level l : {level::read, level::write, level::admin}) {
        if (word == name_of(l))
            return l;
    }
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("unknown access level \"%.*s\"", pg::shown(word), word.data()),
                    errhint("Levels are read, write and admin.")));
    pg_unreachable();
}

const char *name_of(level l) {
    static constexpr const char *names[] = {"none", "read", "write", "admin"};
    return names[static_cast<int>(l)];
}

bool may(Oid role, level wanted, std::string_view name) {
    rights const &r = rights_of(role);
    return r.everywhere >= wanted || judge_once(r, name) >= wanted;
}

bool may(level wanted, std::string_view name) { return may(GetUserId(), wanted, name); }

bool may_all(Oid role, level wanted) { return rights_of(role).everywhere >= wanted; }

bool may_all(level wanted) { return may_all(GetUserId(), wanted); }

bool may_monitor() { return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS); }

prefixes open_prefixes(Oid role, level wanted, std::string_view within) {
    rights const &r = rights_of(role);
    prefixes out{pg::palloc_array_of<std::string_view>(r.count + 1), 0};
    bool all = r.everywhere >= wanted;
    for (int i = 0; i < r.count && !all; i++) {
        if (r.rules[i].upto < wanted)
            continue;
        char *buffer = pg::palloc_array_of<char>(r.rules[i].pattern.size());
        std::string_view prefix{buffer, core::glob_prefix(r.rules[i].pattern, buffer)};
        all = begins_with(within, prefix);
        if (begins_with(prefix, within))
            out.of[out.count++] = prefix;
    }
    if (all) {
        out.of[0] = within;
        out.count = 1;
        return out;
    }
    qsort(out.of, out.count, sizeof *out.of, by_bytes);
    int kept = 0;
    for (int i = 0; i < out.count; i++) {
        if (kept == 0 || !begins_with(out.of[i], out.of[kept - 1]))
            out.of[kept++] = out.of[i];
    }
    out.count = kept;
    return out;
}

void require(Oid role, level wanted, std::string_view name, const char *what) {
    if (!may(role, wanted, name))
        refuse(role, wanted, name, what);
}

void require(level wanted, std::string_view name, const char *what) { require(GetUserId(), wanted, name, what); }

} // namespace weir::name
