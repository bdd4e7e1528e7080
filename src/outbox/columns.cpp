// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "outbox/columns.hpp"

namespace weir::outbox {

namespace {

bool is_plain(Oid type) {
    switch (type) {
    case BOOLOID:
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case NUMERICOID:
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
    case JSONBOID:
    case FLOAT4OID:
    case FLOAT8OID:
    case BYTEAOID:
    case DATEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
        return true;
    default:
        return false;
    }
}

// Containers are unpacked where they are pushed.
JsonbValue json_of(Jsonb *document) {
    JsonbValue out;
    if (JB_ROOT_IS_SCALAR(document)) {
        JsonbExtractScalar(&document->root, &out);
        return out;
    }
    out.type = jbvBinary;
    out.val.binary.data = &document->root;
    out.val.binary.len = VARSIZE(document) - VARHDRSZ;
    return out;
}

JsonbValue bool_of(bool value) {
    JsonbValue out;
    out.type = jbvBool;
    out.val.boolean = value;
    return out;
}

JsonbValue numeric_of(Numeric number) {
    if (numeric_is_nan(number) || numeric_is_inf(number))
        return pg::json_string(DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number))));
    JsonbValue out;
    out.type = jbvNumeric;
    out.val.numeric = number;
    return out;
}

// The fewest digits that are read back as the same number, whatever extra_float_digits says.
JsonbValue float_of(char const *shortest, bool finite) {
    if (!finite)
        return pg::json_string(shortest);
    return numeric_of(DatumGetNumeric(
        DirectFunctionCall3(numeric_in, CStringGetDatum(shortest), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1))));
}

JsonbValue float_of(double value) {
    auto *text = static_cast<char *>(palloc(DOUBLE_SHORTEST_DECIMAL_LEN));
    double_to_shortest_decimal_buf(value, text);
    return float_of(text, isfinite(value));
}

JsonbValue float_of(float value) {
    auto *text = static_cast<char *>(palloc(FLOAT_SHORTEST_DECIMAL_LEN));
    float_to_shortest_decimal_buf(value, text);
    return float_of(text, isfinite(value));
}

JsonbValue hex_of(Datum value) {
    std::string_view bytes = pg::view_of(value);
    auto *text = static_cast<char *>(palloc(2 + 2 * bytes.size()));
    text[0] = '\\';
    text[1] = 'x';
    uint64 length = hex_encode(bytes.data(), bytes.size(), text + 2);
    return pg::json_string({text, 2 + length});
}

// ISO 8601; what has a time zone, in UTC.
JsonbValue time_of(Oid type, Datum value) {
    constexpr int utc = 0;
    constexpr int longest = 128; // MAXDATELEN of utils/datetime.h, which defines DAY, D and the like
    auto *text = static_cast<char *>(palloc(longest + 1));
    JsonEncodeDateTime(text, value, type, type == TIMESTAMPTZOID ? &utc : nullptr);
    return pg::json_string(text);
}

JsonbValue scalar_of(Oid type, Datum value) {
    switch (type) {
    case BOOLOID:
        return bool_of(DatumGetBool(value));
    case INT2OID:
        return pg::json_number(DatumGetInt16(value));
    case INT4OID:
        return pg::json_number(DatumGetInt32(value));
    case INT8OID:
        return pg::json_number(DatumGetInt64(value));
    case NUMERICOID:
        return numeric_of(DatumGetNumeric(value));
    case JSONBOID:
        return json_of(DatumGetJsonbP(value));
    case FLOAT4OID:
        return float_of(DatumGetFloat4(value));
    case FLOAT8OID:
        return float_of(DatumGetFloat8(value));
    case BYTEAOID:
        return hex_of(value);
    case DATEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
        return time_of(type, value);
    default:
        return pg::json_string(pg::view_of(value));
    }
}

} // namespace

void prepare(column &c, Relation table, AttrNumber number) {
    Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table), number - 1);
    c.number = number;
    c.name = pstrdup(NameStr(attribute->attname));
    c.base_type = getBaseType(attribute->atttypid);
    c.length = attribute->attlen;
    c.by_value = attribute->attbyval;
    c.scalar = is_plain(c.base_type);
    c.needs = c.scalar ? pg::text_depends_on::nothing : pg::text_of(attribute->atttypid);
    if (c.scalar)
        return;
    // What type the argument has, a polymorphic function learns from its call.
    Param *argument = makeNode(Param);
    argument->paramkind = PARAM_EXTERN;
    argument->paramid = 1;
    argument->paramtype = attribute->atttypid;
    argument->paramtypmod = attribute->atttypmod;
    argument->location = -1;
    fmgr_info(F_TO_JSONB, &c.convert);
    fmgr_info_set_expr(reinterpret_cast<Node *>(makeFuncExpr(F_TO_JSONB, JSONBOID, list_make1(argument), InvalidOid,
                                                             InvalidOid, COERCE_EXPLICIT_CALL)),
                       &c.convert);
}

void add(pg::json_writer &into, column &c, TupleTableSlot *row) {
    bool null = false;
    Datum value = slot_getattr(row, c.number, &null);
    if (null)
        into.add(c.name, pg::json_null());
    else if (c.scalar)
        into.add(c.name, scalar_of(c.base_type, value));
    else
        into.add(c.name, json_of(DatumGetJsonbP(FunctionCall1(&c.convert, value))));
}

bool is_same(column const &c, TupleTableSlot *a, TupleTableSlot *b) {
    bool null_a = false, null_b = false;
    Datum x = slot_getattr(a, c.number, &null_a), y = slot_getattr(b, c.number, &null_b);
    if (null_a || null_b)
        return null_a == null_b;
    // What an update left alone is stored where it was, and need not be fetched.
    if (c.length == -1 && VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(x)) &&
        VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(y)) &&
        memcmp(DatumGetPointer(x), DatumGetPointer(y), VARSIZE_EXTERNAL(DatumGetPointer(x))) == 0)
        return true;
    return datum_image_eq(x, y, c.by_value, c.length);
}

void add_object(pg::json_writer &into, std::string_view key, column *columns, int count, TupleTableSlot *row) {
    into.key(key);
    into.begin_object();
    for (int i = 0; i < count; i++)
        add(into, columns[i], row);
    into.end_object();
}

} // namespace weir::outbox
