// SPDX-License-Identifier: PostgreSQL
//
// Names of channels. A stream's is "weir:" and the stream's name, which reads well
// in LISTEN; a name too long for a channel is cut and its hash put behind it. Should
// two streams come to share a channel, each wakes the other's readers for nothing.
#pragma once

#include "pg/pg.hpp"

namespace weir::doorbell {

// Notifications for whoever watches everything: which streams rang.
inline constexpr const char *database_channel = "weir";

using channel_name = char[NAMEDATALEN];

// NOTIFY's own limit (NOTIFY_PAYLOAD_MAX_LENGTH of async.c, which is private there).
inline constexpr std::size_t longest_payload = BLCKSZ - NAMEDATALEN - 128 - 1;

void write_channel(std::string_view stream, channel_name out);

// What NOTIFY would refuse, refused in our words.
void check_channel(std::string_view channel);
void check_payload(std::string_view payload);

} // namespace weir::doorbell
