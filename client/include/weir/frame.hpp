// SPDX-License-Identifier: PostgreSQL
//
// One entry of a stream, as weir.read() gives it, and what goes into one.
#pragma once

#include "weir/position.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {

enum class frame_mode {
    durable,
    summary,     // payload is a merge patch of the rolling document
    replace,     // payload is the rolling document, whatever was before
    best_effort, // kept for a while, and not across a crash
    close,       // the end of the stream; payload {"reason": …} or {}
    bookmark,    // no frame: a read has looked at everything up to its id (read_options::bookmark)
};

// durable, summary, replace, best_effort, close, bookmark.
WEIR_CLIENT_API std::string_view to_string(frame_mode mode) noexcept;

struct frame {
    position id = {};
    frame_mode mode = frame_mode::durable;
    std::optional<std::string> type = {};
    std::optional<std::string> payload = {};          // JSON
    std::optional<std::vector<std::byte>> bytes = {}; // raw; one of payload and bytes is there
    std::optional<std::string> headers = {};          // a JSON object

    // When the server gave the id out.
    position::time_point at() const noexcept { return id.time(); }

    // The text of a frame whose payload is a JSON string, as append_text wrote it.
    WEIR_CLIENT_API std::optional<std::string> text() const;
};

// What a frame is to carry: JSON, text (stored as a JSON string), or raw bytes. A view: it
// holds nothing itself.
class payload {
public:
    enum class form { json, text, bytes };

    form kind() const noexcept { return kind_; }
    std::string_view data() const noexcept { return data_; }

    friend payload json(std::string_view value) noexcept { return {form::json, value}; }
    friend payload text(std::string_view value) noexcept { return {form::text, value}; }
    friend payload bytes(std::span<std::byte const> value) noexcept {
        return {form::bytes, {reinterpret_cast<char const *>(value.data()), value.size()}};
    }

private:
    payload(form kind, std::string_view data) : kind_(kind), data_(data) {}
    form kind_;
    std::string_view data_;
};

payload json(std::string_view value) noexcept;
payload text(std::string_view value) noexcept;
payload bytes(std::span<std::byte const> value) noexcept;

} // namespace weir::inline v0
