// SPDX-License-Identifier: PostgreSQL
//
// JSON objects, written member by member.
#pragma once

#include "pg/pg.hpp"

#include "pg/text.hpp"

namespace weir::pg {

inline JsonbValue json_string(std::string_view s) {
    JsonbValue v;
    v.type = jbvString;
    v.val.string = {static_cast<int>(s.size()), const_cast<char *>(s.data())};
    return v;
}

inline JsonbValue json_number(int64 n) {
    JsonbValue v;
    v.type = jbvNumeric;
    v.val.numeric = int64_to_numeric(n);
    return v;
}

inline JsonbValue json_null() {
    JsonbValue v;
    v.type = jbvNull;
    return v;
}

struct json_writer {
    JsonbParseState *state = nullptr;

    void begin_object() { pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr); }
    JsonbValue *end_object() { return pushJsonbValue(&state, WJB_END_OBJECT, nullptr); }
    void begin_array() { pushJsonbValue(&state, WJB_BEGIN_ARRAY, nullptr); }
    void end_array() { pushJsonbValue(&state, WJB_END_ARRAY, nullptr); }

    void key(std::string_view name) { push(WJB_KEY, json_string(name)); }
    void element(JsonbValue value) { push(WJB_ELEM, value); }
    void add(std::string_view name, JsonbValue value) {
        key(name);
        push(WJB_VALUE, value);
    }
    void add(std::string_view name, std::string_view value) { add(name, json_string(value)); }
    void add(std::string_view name, int64 value) { add(name, json_number(value)); }
    void add(std::string_view name, NullableDatum value) { // text
        add(name, value.isnull ? json_null() : json_string(view_of(value.value)));
    }

    // The end of the outermost object.
    Jsonb *finish() { return JsonbValueToJsonb(end_object()); }

private:
    void push(JsonbIteratorToken what, JsonbValue value) { pushJsonbValue(&state, what, &value); }
};

} // namespace weir::pg
