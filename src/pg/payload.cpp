// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/payload.hpp"
#include "pg/settings.hpp"
#include "pg/text.hpp"

namespace weir::pg {

namespace {

Datum to_json_string(Datum value) {
    std::string_view s = view_of(value);
    JsonbValue scalar;
    scalar.type = jbvString;
    scalar.val.string.val = const_cast<char *>(s.data());
    scalar.val.string.len = static_cast<int>(s.size());
    return PointerGetDatum(JsonbValueToJsonb(&scalar));
}

void too_large(std::size_t size, int limit, const char *unit, const char *setting) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("batch is too large"),
                    errdetail("It has %zu %s, the limit is %d.", size, unit, limit),
                    errhint("Write it in several batches, or raise %s.", setting)));
}

} // namespace

std::size_t payload_size(Datum value) { return toast_raw_datum_size(value) - VARHDRSZ; }

std::size_t size_of(NullableDatum const &value) {
    return value.isnull ? 0 : VARSIZE_ANY_EXHDR(DatumGetPointer(value.value));
}

void check_payload(Datum value, std::size_t beside, const char *what, const char *parts) {
    std::size_t size = payload_size(value) + beside;
    if (size > static_cast<std::size_t>(settings::max_frame_bytes))
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("%s is too large", what),
                        errdetail("It has %zu bytes of %s, the limit is %d.", size, parts, settings::max_frame_bytes),
                        errhint("Split it, or raise weir.max_frame_bytes.")));
}

void check_batch_bytes(std::size_t size) {
    if (size > static_cast<std::size_t>(settings::max_batch_bytes))
        too_large(size, settings::max_batch_bytes, "bytes", "weir.max_batch_bytes");
}

Datum payload_value(Datum value, form given) {
    return given == form::text ? to_json_string(value) : PointerGetDatum(PG_DETOAST_DATUM(value));
}

Oid element_type(form given) {
    switch (given) {
    case form::json:
        return JSONBOID;
    case form::text:
        return TEXTOID;
    case form::bytes:
        break;
    }
    return BYTEAOID;
}

int elements_argument(FunctionCallInfo fcinfo, int n, const char *called, Oid type, const char *unit,
                      other_array const *other, Datum **values, bool **nulls) {
    ArrayType *array = PG_GETARG_ARRAYTYPE_P(n);
    if (ARR_NDIM(array) == 0 && other == nullptr)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be empty", called)));
    if (ARR_NDIM(array) > 1)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be a one-dimensional array", called)));
    int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    if (other == nullptr && count > settings::max_batch_frames)
        too_large(static_cast<std::size_t>(count), settings::max_batch_frames, unit, "weir.max_batch_frames");
    if (other != nullptr && count != other->count)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s and %s differ in length", other->called, called),
                 errdetail("There are %d %s and %d %s.", other->count, other->called, count, called),
                 errhint("%s", other->hint)));
    deconstruct_array(array, type, -1, false, TYPALIGN_INT, values, nulls, &count);
    return count;
}

} // namespace weir::pg
