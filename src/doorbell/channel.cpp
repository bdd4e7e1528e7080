// SPDX-License-Identifier: PostgreSQL
#include "pg/pg.hpp"

#include "doorbell/channel.hpp"
#include "name/argument.hpp"
#include "pg/function.hpp"
#include "pg/text.hpp"

namespace weir::doorbell {

namespace {

constexpr std::string_view prefix = "weir:";
constexpr std::size_t longest = NAMEDATALEN - 1;
constexpr std::size_t hash_digits = 16;

} // namespace

void write_channel(std::string_view stream, channel_name out) {
    memcpy(out, prefix.data(), prefix.size());
    char *at = out + prefix.size();
    if (prefix.size() + stream.size() <= longest) {
        memcpy(at, stream.data(), stream.size());
        at[stream.size()] = '\0';
        return;
    }
    auto start = static_cast<std::size_t>(pg_mbcliplen(stream.data(), static_cast<int>(stream.size()),
                                                       static_cast<int>(longest - prefix.size() - hash_digits - 1)));
    memcpy(at, stream.data(), start);
    snprintf(at + start, longest + 1 - prefix.size() - start, "~%016" INT64_MODIFIER "x", pg::hash_of(stream));
}

void check_channel(std::string_view channel) {
    if (channel.empty())
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("channel must not be empty")));
    if (channel.size() > longest)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("channel \"%.*s\" is too long", pg::shown(channel), channel.data()),
                        errdetail("It has %zu bytes, the limit is %zu.", channel.size(), longest)));
}

void check_payload(std::string_view payload) {
    if (payload.size() > longest_payload)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("payload is too long"),
                        errdetail("It has %zu bytes, the limit is %zu.", payload.size(), longest_payload),
                        errhint("Notify of where to read, not of what to read.")));
}

} // namespace weir::doorbell

WEIR_FUNCTION(weir_channel) {
    if (PG_ARGISNULL(0))
        PG_RETURN_TEXT_P(cstring_to_text(weir::doorbell::database_channel));
    std::string_view name = weir::name::name_argument(fcinfo, 0, weir::name::level::read);
    weir::doorbell::channel_name channel;
    weir::doorbell::write_channel(name, channel);
    PG_RETURN_TEXT_P(cstring_to_text(channel));
}
