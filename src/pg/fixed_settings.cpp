// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "pg/fixed_settings.hpp"

namespace weir::pg {

namespace {

struct scope {
    int level = 0;

    void set(const char *name, const char *value) {
        if (level == 0)
            level = NewGUCNestLevel();
        (void)set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    }
};

text_depends_on greater(text_depends_on a, text_depends_on b) { return a < b ? b : a; }

text_depends_on of_fields(Oid type) {
    TupleDesc fields = lookup_rowtype_tupdesc(type, -1);
    text_depends_on all = text_depends_on::nothing;
    for (int i = 0; i < fields->natts; i++) {
        if (!TupleDescAttr(fields, i)->attisdropped)
            all = greater(all, text_of(TupleDescAttr(fields, i)->atttypid));
    }
    ReleaseTupleDesc(fields);
    return all;
}

} // namespace

text_depends_on text_of(Oid type) {
    Oid base = getBaseType(type);
    switch (base) {
    case BOOLOID:
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case NUMERICOID:
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
    case NAMEOID:
    case CHAROID:
    case OIDOID:
    case JSONOID:
    case JSONBOID:
    case UUIDOID:
    case TIMEOID:
    case TIMETZOID:
    case INETOID:
    case CIDROID:
    case BITOID:
    case VARBITOID:
        return text_depends_on::nothing;
    case REGPROCOID:
    case REGPROCEDUREOID:
    case REGOPEROID:
    case REGOPERATOROID:
    case REGCLASSOID:
    case REGTYPEOID:
    case REGCONFIGOID:
    case REGDICTIONARYOID:
    case REGCOLLATIONOID:
        return text_depends_on::formats_and_path;
    default:
        break;
    }
    if (Oid element = get_element_type(base); OidIsValid(element))
        return text_of(element);
    if (type_is_enum(base))
        return text_depends_on::nothing;
    if (get_typtype(base) == TYPTYPE_COMPOSITE)
        return of_fields(base);
    return text_depends_on::formats; // of others' types nothing is known
}

int begin_fixed_settings(text_depends_on what) {
    scope s;
    if (what == text_depends_on::nothing)
        return 0;
    if (extra_float_digits != 1)
        s.set("extra_float_digits", "1");
    if (bytea_output != BYTEA_OUTPUT_HEX)
        s.set("bytea_output", "hex");
    if (IntervalStyle != INTSTYLE_ISO_8601)
        s.set("IntervalStyle", "iso_8601");
    if (DateStyle != USE_ISO_DATES || DateOrder != DATEORDER_MDY)
        s.set("DateStyle", "ISO, MDY");
    if (strcmp(pg_get_timezone_name(session_timezone), "UTC") != 0)
        s.set("TimeZone", "UTC");
    if (strcmp(GetConfigOption("lc_monetary", false, false), "C") != 0)
        s.set("lc_monetary", "C");
    if (quote_all_identifiers)
        s.set("quote_all_identifiers", "off");
    if (what == text_depends_on::formats_and_path && strcmp(namespace_search_path, "pg_catalog") != 0)
        s.set("search_path", "pg_catalog");
    return s.level;
}

void end_fixed_settings(int level) {
    if (level != 0)
        AtEOXact_GUC(true, level);
}

} // namespace weir::pg
