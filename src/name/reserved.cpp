// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "name/reserved.hpp"
#include "pg/text.hpp"

namespace weir::name {

namespace {

struct reservation {
    std::string_view prefix;
    const char *holds;
};

constinit reservation reserved[16] = {{"weir", "what later versions need"}};
constinit int count = 1;

reservation const *find(std::string_view name) {
    for (int i = 0; i < count; i++) {
        std::string_view prefix = reserved[i].prefix;
        if (name.substr(0, prefix.size()) == prefix && (name.size() == prefix.size() || name[prefix.size()] == '/'))
            return &reserved[i];
    }
    return nullptr;
}

} // namespace

void reserve(std::string_view prefix, const char *holds) {
    if (count == lengthof(reserved))
        elog(ERROR, "too many reserved names");
    reserved[count++] = {prefix, holds};
}

bool is_reserved(std::string_view name) { return find(name) != nullptr; }

void refuse_reserved(std::string_view name) {
    reservation const *by = find(name);
    if (by == nullptr)
        return;
    int length = static_cast<int>(by->prefix.size());
    const char *prefix = by->prefix.data();
    ereport(ERROR,
            (errcode(ERRCODE_RESERVED_NAME), errmsg("stream name \"%.*s\" is reserved", pg::shown(name), name.data()),
             errdetail("weir itself writes %s there; others can only read it.", by->holds),
             errhint("Take a name that is not \"%.*s\" and does not begin with \"%.*s/\".", length, prefix, length,
                     prefix)));
}

} // namespace weir::name
