// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "core/glob.hpp"
#include "name/argument.hpp"
#include "name/reserved.hpp"
#include "pg/argument.hpp"
#include "pg/memory.hpp"
#include "pg/settings.hpp"
#include "pg/text.hpp"

namespace weir::name {

namespace {

bool is_blank(std::string_view s) {
    for (char c : s) {
        if (!isspace(static_cast<unsigned char>(c)))
            return false;
    }
    return true;
}

} // namespace

void check_name(std::string_view name, const char *what) {
    if (is_blank(name))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be blank", what)));
    if (name.size() > static_cast<std::size_t>(pg::settings::max_name_bytes))
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("%s is too long", what),
                        errdetail("It has %zu bytes, the limit is %d.", name.size(), pg::settings::max_name_bytes)));
}

std::string_view name_argument(FunctionCallInfo fcinfo, int n, level wanted, const char *called, const char *what) {
    if (PG_ARGISNULL(n))
        pg::null_argument(called);
    std::string_view name = pg::view_of(PG_GETARG_DATUM(n));
    check_name(name, what);
    if (wanted != level::none)
        require(wanted, name, what);
    return name;
}

std::string_view target_argument(FunctionCallInfo fcinfo, int n, const char *called, const char *what) {
    std::string_view name = name_argument(fcinfo, n, level::none, called, what);
    refuse_reserved(name);
    require(level::write, name, what);
    return name;
}

void check_pattern(std::string_view pattern, const char *what) {
    check_name(pattern, what);
    core::failure why;
    if (!core::check_glob(pattern, why))
        ereport(ERROR, (errcode(ERRCODE_INVALID_ESCAPE_SEQUENCE), errmsg("%s", why.message), errhint("%s", why.hint)));
}

std::string_view pattern_argument(FunctionCallInfo fcinfo, int n, const char *called) {
    if (PG_ARGISNULL(n))
        pg::null_argument(called);
    std::string_view pattern = pg::view_of(PG_GETARG_DATUM(n));
    check_pattern(pattern, called);
    return pattern;
}

std::string_view literal_part(std::string_view pattern) {
    char *buffer = pg::palloc_array_of<char>(pattern.size() + 1);
    return {buffer, core::glob_prefix(pattern, buffer)};
}

void positions_argument(FunctionCallInfo fcinfo, int n, const char *called, int names, positions &out) {
    if (PG_ARGISNULL(n))
        return;
    int count = 0;
    ArrayType *array = PG_GETARG_ARRAYTYPE_P(n);
    deconstruct_array(array, ARR_ELEMTYPE(array), sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &out.values,
                      &out.nulls, &count);
    if (count != names)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("streams and %s differ in length", called),
                        errdetail("There are %d streams and %d positions.", names, count)));
}

int names_argument(FunctionCallInfo fcinfo, Datum **names, positions &after) {
    pg::text_array streams = pg::text_array_argument(fcinfo, 0, "streams", max_names);
    positions_argument(fcinfo, 1, "after", streams.count, after);
    for (int i = 0; i < streams.count; i++) {
        check_name(pg::view_of(streams.values[i]));
        require(level::read, pg::view_of(streams.values[i]));
    }
    *names = streams.values;
    return streams.count;
}

} // namespace weir::name
