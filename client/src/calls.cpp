// SPDX-License-Identifier: PostgreSQL
#include "calls.hpp"

#include "failure.hpp"

#include <array>

namespace weir::inline v0 {
namespace internal {

namespace {

constexpr std::array all_keepings{keeping::durable, keeping::best_effort};
constexpr std::array all_forms{payload::form::json, payload::form::text, payload::form::bytes};

std::string function(keeping how, payload::form form) {
    std::string name = "weir.append";
    if (how == keeping::best_effort)
        name += "_best_effort";
    if (form == payload::form::text)
        name += "_text";
    if (form == payload::form::bytes)
        name += "_bytes";
    return name;
}

std::string parameter(int n, element type, char const *dimensions = "") {
    return "$" + std::to_string(n) + "::" + sql_type(type) + dimensions;
}

// ", type => $3::text, …"
std::string options_of(keeping how, int *next = nullptr) {
    std::string text;
    int n = 3;
    for_each_option_of(how, [&](option const &o, auto) { text += named(o, parameter(n++, o.type)); });
    if (next != nullptr)
        *next = n;
    return text;
}

std::string one(keeping how, payload::form form) {
    return "SELECT " + function(how, form) + "($1::text, " + parameter(2, element_of(form)) + options_of(how) +
           ")::bigint";
}

std::string batch(keeping how, payload::form form) {
    int next = 0;
    std::string const options = options_of(how, &next);
    return "SELECT first_id::bigint, last_id::bigint, frames FROM " + function(how, form) + "_batch($1::text, " +
           parameter(2, element_of(form), "[]") + options + ", types => " + parameter(next, element::text, "[]") +
           ", headers_each => " + parameter(next + 1, element::jsonb, "[]") + ")";
}

std::string rows_of(keeping how, payload::form form) {
    std::string given, arrays, columns;
    int n = 3;
    for_each_option_of(how, [&](option const &o, auto) {
        std::string const column = "c" + std::to_string(n);
        given += named(o, "u." + column);
        arrays += ", " + parameter(n, o.type, "[]");
        columns += ", " + column;
        n++;
    });
    return "SELECT " + function(how, form) + "(u.c1, u.c2" + given + ")::bigint FROM unnest($1::text[], " +
           parameter(2, element_of(form), "[]") + arrays + ") AS u(c1, c2" + columns + ")";
}

// Made when first asked for; statements are told apart by where their text is.
using texts = std::array<std::array<std::string, all_forms.size()>, all_keepings.size()>;

texts made_by(std::string (*make)(keeping, payload::form)) {
    texts all;
    for (auto const how : all_keepings)
        for (auto const form : all_forms)
            all[static_cast<std::size_t>(how)][static_cast<std::size_t>(form)] = make(how, form);
    return all;
}

statement find(texts const &all, keeping how, payload::form form) {
    return {all[static_cast<std::size_t>(how)][static_cast<std::size_t>(form)].c_str()};
}

} // namespace

statement append_statement(keeping how, payload::form form) {
    static texts const all = made_by(one);
    return find(all, how, form);
}

statement append_batch_statement(keeping how, payload::form form) {
    static texts const all = made_by(batch);
    return find(all, how, form);
}

statement append_rows_statement(keeping how, payload::form form) {
    static texts const all = made_by(rows_of);
    return find(all, how, form);
}

statement append_patch_statement() {
    static std::string const text = "SELECT id::bigint, summary_version FROM weir.append_patch($1::text, $2::jsonb" +
                                    options_of(keeping::durable) + ")";
    return {text.c_str()};
}

element element_of(payload::form form) noexcept {
    switch (form) {
    case payload::form::json:
        return element::jsonb;
    case payload::form::bytes:
        return element::bytes;
    default:
        return element::text;
    }
}

std::string properties_from(int n) {
    std::string text;
    for_each_property([&](option const &o, auto) { text += named(o, parameter(n++, o.type)); });
    return text;
}

void add_properties(parameters &p, stream_properties const &all) {
    for_each_property([&](option const &each, auto member) { p.one(each.type, in_parameter(all.*member)); });
}

void add_each(parameters &p, each_options const &each) {
    auto const all = [&p](element type, std::span<std::optional<std::string_view> const> values) {
        if (values.empty()) {
            p.null();
            return;
        }
        p.begin(type, values.size());
        for (auto const &v : values)
            p.add(v);
        p.end();
    };
    all(element::text, each.types);
    all(element::jsonb, each.headers);
}

void add_texts_or_null(parameters &p, std::span<std::string const> values) {
    if (values.empty()) {
        p.null();
        return;
    }
    p.begin(element::text, values.size());
    for (std::string const &v : values)
        p.add(std::string_view(v));
    p.end();
}

void add_payload(parameters &p, payload what) { p.one(element_of(what.kind()), what.data()); }

void check_options(keeping how, append_options const &o) {
    for_each_append_option([&](option const &each, auto member) {
        if (how == keeping::durable && each.best_effort && o.*member)
            misuse(std::string("a durable frame has no ") + each.name, "22023",
                   "Retention is a property of the stream, see stream::alter().");
    });
}

void add_options(parameters &p, keeping how, append_options const &o) {
    check_options(how, o);
    for_each_option_of(how, [&](option const &each, auto member) { p.one(each.type, in_parameter(o.*member)); });
}

} // namespace internal
} // namespace weir::inline v0
