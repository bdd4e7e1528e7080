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
        return true;
    default:
        return false;
    }
}

void set_number(JsonbValue &out, int64 value) {
    out.type = jbvNumeric;
    out.val.numeric = int64_to_numeric(value);
}

void set_string(JsonbValue &out, const char *start, std::size_t length) {
    out.type = jbvString;
    out.val.string.val = const_cast<char *>(start);
    out.val.string.len = static_cast<int>(length);
}

// Containers are unpacked where they are pushed.
void set_json(JsonbValue &out, Jsonb *document) {
    if (JB_ROOT_IS_SCALAR(document)) {
        JsonbExtractScalar(&document->root, &out);
        return;
    }
    out.type = jbvBinary;
    out.val.binary.data = &document->root;
    out.val.binary.len = VARSIZE(document) - VARHDRSZ;
}

void set_scalar(JsonbValue &out, Oid type, Datum value) {
    switch (type) {
    case BOOLOID:
        out.type = jbvBool;
        out.val.boolean = DatumGetBool(value);
        return;
    case INT2OID:
        return set_number(out, DatumGetInt16(value));
    case INT4OID:
        return set_number(out, DatumGetInt32(value));
    case INT8OID:
        return set_number(out, DatumGetInt64(value));
    case NUMERICOID: {
        Numeric number = DatumGetNumeric(value);
        if (numeric_is_nan(number) || numeric_is_inf(number)) {
            char *shown = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
            return set_string(out, shown, strlen(shown));
        }
        out.type = jbvNumeric;
        out.val.numeric = number;
        return;
    }
    case JSONBOID:
        return set_json(out, DatumGetJsonbP(value));
    default: {
        text *t = DatumGetTextPP(value);
        return set_string(out, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
    }
    }
}

} // namespace

void prepare(column &c, Relation table, AttrNumber number) {
    Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table), number - 1);
    c.number = number;
    c.name = pstrdup(NameStr(attribute->attname));
    c.name_length = static_cast<int>(strlen(c.name));
    c.base_type = getBaseType(attribute->atttypid);
    c.length = attribute->attlen;
    c.by_value = attribute->attbyval;
    c.scalar = is_plain(c.base_type);
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

void push(JsonbParseState **state, column &c, TupleTableSlot *row) {
    bool null = false;
    Datum value = slot_getattr(row, c.number, &null);
    push_key(state, c.name, c.name_length);
    JsonbValue member;
    if (null)
        member.type = jbvNull;
    else if (c.scalar)
        set_scalar(member, c.base_type, value);
    else
        set_json(member, DatumGetJsonbP(FunctionCall1(&c.convert, value)));
    pushJsonbValue(state, WJB_VALUE, &member);
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

void push_object(JsonbParseState **state, const char *key, column *columns, int count, TupleTableSlot *row) {
    push_key(state, key, static_cast<int>(strlen(key)));
    pushJsonbValue(state, WJB_BEGIN_OBJECT, nullptr);
    for (int i = 0; i < count; i++)
        push(state, columns[i], row);
    pushJsonbValue(state, WJB_END_OBJECT, nullptr);
}

void push_key(JsonbParseState **state, const char *key, int length) {
    JsonbValue k;
    set_string(k, key, static_cast<std::size_t>(length));
    pushJsonbValue(state, WJB_KEY, &k);
}

void push_string(JsonbParseState **state, const char *key, const char *value) {
    push_key(state, key, static_cast<int>(strlen(key)));
    JsonbValue v;
    set_string(v, value, strlen(value));
    pushJsonbValue(state, WJB_VALUE, &v);
}

} // namespace weir::outbox
