// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "name/kind.hpp"
#include "pg/text.hpp"

namespace weir::name {

namespace {

kind const *kinds[16];
int count = 0;

kind const *find(char code) {
    for (int i = 0; i < count; i++) {
        if (kinds[i]->code == code)
            return kinds[i];
    }
    return nullptr;
}

[[noreturn]] void raise_other_kind(std::string_view name, char found, kind const &wanted) {
    kind const *other = find(found);
    if (other == nullptr) // of a dump, maybe
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                        errmsg("\"%.*s\" is not a %s", pg::shown(name), name.data(), wanted.noun),
                        errdetail("It is of kind \"%c\", which this version of weir does not know.", found)));
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%.*s\" is a %s, not a %s", pg::shown(name), name.data(), other->noun, wanted.noun),
                    errhint("Take another name: one name is one thing, whatever its kind.")));
    pg_unreachable();
}

} // namespace

void register_kind(kind const &k) {
    if (count == lengthof(kinds))
        elog(ERROR, "too many kinds of names");
    if (find(k.code) != nullptr)
        elog(ERROR, "two kinds of names are called \"%c\"", k.code);
    kinds[count++] = &k;
}

void require_kind(std::string_view name, char found, kind const &wanted) {
    if (found != wanted.code)
        raise_other_kind(name, found, wanted);
}

} // namespace weir::name
