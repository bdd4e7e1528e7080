// SPDX-License-Identifier: PostgreSQL
//
// A stream by its name, on a connection: the calls of weir in SQL, under the same
// names. A stream exists from its first append, so making this object asks the
// server nothing. It refers to the connection, which has to outlive it.
//
// Calls commit by themselves unless a transaction is open. Appends are safe to
// retry with an idempotency key, and are then retried by the library.
#pragma once

#include "weir/connection.hpp"
#include "weir/frame.hpp"
#include "weir/result.hpp"
#include "weir/wait.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {

struct append_options {
    std::optional<std::string_view> type = {};            // 1 to 512 bytes
    std::optional<std::string_view> headers = {};         // a JSON object
    std::optional<std::string_view> idempotency_key = {}; // 1 to 512 bytes
    // The fence, both or neither: only while this lease is live at this epoch.
    std::optional<std::string_view> lease = {};
    std::optional<std::int64_t> epoch = {};
    // Of best-effort frames alone: how long they are kept, 1 ms to 1 day. None: as the stream says.
    std::optional<std::chrono::milliseconds> ttl = {};

    friend bool operator==(append_options const &, append_options const &) = default;
};

// What a frame of a batch has of its own: one element for each frame, or none at all. An element that is left out has
// what the options say for all.
struct each_options {
    std::span<std::optional<std::string_view> const> types = {};
    std::span<std::optional<std::string_view> const> headers = {};
};

// What belongs to a stream. What is left out has its default when the stream is created, and stays as it is when it is
// altered. The server says in list_stream_properties() what defaults and ranges are.
struct stream_properties {
    std::optional<std::string_view> null_sentinel = {}; // stands for JSON null in patches; set for good
    // Best-effort frames: how long they are kept, within which bounds how many, and how fast the rate follows that
    // this goes by.
    std::optional<std::chrono::milliseconds> frame_ttl = {};
    std::optional<int> maxlen_floor = {};
    std::optional<int> maxlen_ceiling = {};
    std::optional<double> rate_alpha = {};
    std::optional<int> max_frame_bytes = {}; // payload, type and headers of one frame
    // Retention: older frames go, and all but the newest so many. None: all stay.
    std::optional<std::chrono::milliseconds> max_age = {};
    std::optional<std::int64_t> max_frames = {};
    // The same bounds for what a subscription with hold has not acknowledged.
    std::optional<std::chrono::milliseconds> hold_age = {};
    std::optional<std::int64_t> hold_frames = {};
    // Lifetime: the stream is dropped so long after its last append, or at a time.
    std::optional<std::chrono::milliseconds> ttl = {};
    std::optional<std::chrono::sys_time<std::chrono::milliseconds>> expires_at = {};
};

struct batch_result {
    position first_id = {};
    position last_id = {};
    int frames = 0;
};

struct patch_result {
    position id = {};
    std::int64_t summary_version = 0;
};

struct read_options {
    std::optional<position> after = {};      // exclusive; none: from the start
    std::optional<position> upto = {};       // inclusive
    int max = 1000;                          // 1 to 10000
    bool best_effort = true;                 // false: leave best-effort frames out
    std::vector<std::string> types = {};     // only these; empty: all
    std::optional<std::string> headers = {}; // a JSON object that the frame's headers contain
    bool reverse = false;                    // newest first
    std::optional<position::time_point> since = {};
    // One more at the end, of mode bookmark: everything up to its id was looked at, so that a read with a filter moves
    // on past what it drops. Its type is "more" where the read stopped before the end. Not with reverse.
    bool bookmark = false;
};

struct summary_document {
    std::string document = {}; // a JSON object
    std::int64_t version = 0;
    position id = {}; // of the newest patch in it
    position::time_point first_applied = {};
    position::time_point last_updated = {};
};

// See the columns of the view weir.streams.
struct stream_info {
    std::string stream = {};
    std::optional<position> first_id = {};
    std::optional<position> last_id = {};
    std::int64_t frames = 0;
    std::int64_t lifetime_frames = 0;
    std::int64_t bytes = 0;
    std::int64_t lifetime_bytes = 0;
    std::int64_t best_effort_frames = 0;
    std::optional<double> rate_hz = {};
    std::optional<int> maxlen = {};
    std::int64_t version = 0;
    bool closed = false;
    std::optional<std::string> close_reason = {};
    std::int64_t lead_ms = 0;
    std::string properties = {}; // a JSON object of those that were set
};

class WEIR_CLIENT_API stream {
public:
    stream(connection &db, std::string name) : db_(&db), name_(std::move(name)) {}

    std::string const &name() const noexcept { return name_; }

    // Each gives the frame's position; refused: stream_closed, idempotency_conflict, and with a lease lease_not_held,
    // lease_revoked, lease_expired, stale_lease.
    result<position> append(std::string_view json, append_options const &options = {});
    result<position> append_text(std::string_view text, append_options const &options = {});
    result<position> append_bytes(std::span<std::byte const> bytes, append_options const &options = {});
    result<patch_result> append_patch(std::string_view patch, append_options const &options = {});

    // Consecutive positions, all or none. Up to weir.max_batch_frames and weir.max_batch_bytes.
    result<batch_result> append_batch(std::span<std::string_view const> jsons, append_options const &options = {},
                                      each_options const &each = {});
    result<batch_result> append_text_batch(std::span<std::string_view const> texts, append_options const &options = {},
                                           each_options const &each = {});
    result<batch_result> append_bytes_batch(std::span<std::span<std::byte const> const> bytes,
                                            append_options const &options = {}, each_options const &each = {});

    result<position> append_best_effort(std::string_view json, append_options const &options = {});
    result<position> append_best_effort_text(std::string_view text, append_options const &options = {});
    result<position> append_best_effort_bytes(std::span<std::byte const> bytes, append_options const &options = {});
    result<batch_result> append_best_effort_batch(std::span<std::string_view const> jsons,
                                                  append_options const &options = {}, each_options const &each = {});
    result<batch_result> append_best_effort_text_batch(std::span<std::string_view const> texts,
                                                       append_options const &options = {},
                                                       each_options const &each = {});
    result<batch_result> append_best_effort_bytes_batch(std::span<std::span<std::byte const> const> bytes,
                                                        append_options const &options = {},
                                                        each_options const &each = {});

    // The settled frames; refused: cursor_ahead, cursor_expired. Never waits for more.
    result<std::vector<frame>> read(read_options const &options = {});
    // The newest settled position: what "from now" means.
    position head();

    // Nothing where there is no patch.
    std::optional<summary_document> summary();
    // Refused: summary_expired, cursor_ahead.
    result<std::optional<summary_document>> summary_at(position upto);
    result<std::optional<summary_document>> summary_at(position::time_point at);
    // Nothing for a stream that is not there.
    std::optional<stream_info> info();

    // Gives the stream properties before its first frame; false where it is there already. Waits for a transaction that
    // is creating the same name. A retry after a lost connection may find the stream that the first attempt made.
    bool create(stream_properties const &properties = {});
    // Changes properties, and gives those named in reset their defaults; for every call that begins after the commit.
    // Waits for another alter, trim or drop. Safe to retry. Throws 42704 no such stream, 22023 out of range or nothing
    // given, 55000 a property that is set for good.
    void alter(stream_properties const &properties, std::span<std::string const> reset = {});
    // The position of the close mark.
    position close(std::optional<std::string_view> reason = {});
    // How many frames were removed.
    std::int64_t trim_keep(std::int64_t newest);
    std::int64_t trim_before(position when);
    bool drop();

    // Blocks until a settled frame lies after the cursor, until none will (the outcome says why), or until the time is
    // over or a stop was requested. Safe to retry, and retried by the library. Refused: cursor_ahead. Throws within a
    // transaction (25001). For many streams, or to get the frames as well, use a tail.
    result<wait_outcome> wait(position after, until const &limit = {});

private:
    connection *db_;
    std::string name_;
};

// Every stream that there is, by name.
WEIR_CLIENT_API std::vector<stream_info> streams(connection &db);

struct listed_stream {
    std::string stream = {};
    bool closed = false;
};

struct list_options {
    std::string_view pattern = "*";             // * any run of characters, ? any one, \\ takes the next as it is
    std::optional<std::string_view> after = {}; // the last name of the page before
    int max = 1000;                             // 1 to 10000
};

// The names alone, a page of them, in their order byte by byte.
WEIR_CLIENT_API std::vector<listed_stream> list_streams(connection &db, list_options const &options = {});
// How many there were. Waits for appends in flight.
WEIR_CLIENT_API std::int64_t drop_streams(connection &db, std::string_view pattern);

struct stream_frame {
    std::string stream = {};
    weir::frame frame = {};
};

struct stream_cursor {
    std::string_view stream;
    position after;                    // exclusive
    std::optional<position> upto = {}; // inclusive
};

// Several streams in one call and one snapshot, each from its own cursor; after and upto of the options do not count.
// max is for each stream, and 10000 frames are the limit of all; a bookmark stands behind the frames of each stream.
// Otherwise as stream::read().
WEIR_CLIENT_API result<std::vector<stream_frame>> read_many(connection &db, std::span<stream_cursor const> cursors,
                                                            read_options const &options = {});

} // namespace weir::inline v0
