-- SPDX-License-Identifier: PostgreSQL
-- Streams: ordered, resumable sequences of frames, and the rolling summary.

-- Of the streams that have any (src/stream/properties.hpp), by their names; an interval in milliseconds.
CREATE TABLE weir.stream_property (
    stream_id  bigint PRIMARY KEY,
    properties jsonb NOT NULL,
    retained   boolean NOT NULL,
    due_at     bigint -- milliseconds since 1970
);
CREATE INDEX stream_property_due_at_idx ON weir.stream_property (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX stream_property_retained_idx ON weir.stream_property (stream_id) WHERE retained;

-- The log. Fixed-width columns come first: the writer reads and fills them in
-- place (src/stream/frame.hpp). Insert and delete only. Positions differ, so there
-- is nothing to deduplicate in the index.
CREATE TABLE weir.frame_log (
    stream_id bigint NOT NULL,
    id        weir.position NOT NULL,
    ordinal   bigint NOT NULL,
    version   bigint NOT NULL,
    mode      "char" NOT NULL,
    type      text,
    payload   jsonb,
    bytes     bytea,
    headers   jsonb,
    PRIMARY KEY (stream_id, id) WITH (deduplicate_items = off)
);

-- Best-effort frames: no WAL, gone after a crash, not there on a standby.
CREATE UNLOGGED TABLE weir.frame_best_effort (
    stream_id    bigint NOT NULL,
    id           weir.position NOT NULL,
    ordinal      bigint NOT NULL,
    floor        weir.position NOT NULL,
    rate         float8 NOT NULL,
    window_start bigint NOT NULL,
    window_count bigint NOT NULL,
    maxlen       integer NOT NULL,
    ttl_ms       integer NOT NULL,
    type         text,
    payload      jsonb,
    bytes        bytea,
    headers      jsonb,
    PRIMARY KEY (stream_id, id) WITH (deduplicate_items = off)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- Folds of the log up to a settled position: counts and the summary document.
CREATE TABLE weir.checkpoint (
    stream_id      bigint NOT NULL,
    "position"     weir.position NOT NULL,
    frames         bigint NOT NULL,
    bytes          bigint NOT NULL,
    trimmed_frames bigint NOT NULL,
    trimmed_bytes  bigint NOT NULL,
    trimmed_below  weir.position NOT NULL,
    trimmed_upto   weir.position NOT NULL,
    version        bigint NOT NULL,
    patched_at     weir.position,
    first_patch    weir.position,
    document       jsonb,
    PRIMARY KEY (stream_id, "position")
);

CREATE TABLE weir.idempotency (
    stream_id  bigint NOT NULL,
    key        text COLLATE "C" NOT NULL,
    request    bytea NOT NULL,
    called_at  timestamptz NOT NULL,
    first_id   weir.position,
    last_id    weir.position,
    version    bigint,
    PRIMARY KEY (stream_id, key)
);
CREATE INDEX idempotency_called_at_idx ON weir.idempotency (called_at);

COMMENT ON TABLE weir.stream_property IS
'Internal. Properties of streams; see the column properties of the view weir.streams.';
COMMENT ON TABLE weir.frame_log IS
'Internal. Durable and summary frames and the marks in their order; read with weir.read().';
COMMENT ON TABLE weir.frame_best_effort IS
'Internal. Best-effort frames; read with weir.read().';
COMMENT ON TABLE weir.checkpoint IS
'Internal. Settled folds of each stream, from which summaries and counts start.';
COMMENT ON TABLE weir.idempotency IS
'Internal. Keys seen within weir.idempotency_window, with what their call returned.';

SELECT pg_catalog.pg_extension_config_dump('weir.stream_property', '');
SELECT pg_catalog.pg_extension_config_dump('weir.frame_log', '');
SELECT pg_catalog.pg_extension_config_dump('weir.checkpoint', '');
SELECT pg_catalog.pg_extension_config_dump('weir.idempotency', '');

CREATE TYPE weir.frame AS (
    id      weir.position,
    at      timestamptz,
    mode    text,
    type    text,
    payload jsonb,
    bytes   bytea,
    headers jsonb
);
COMMENT ON TYPE weir.frame IS
'One entry of a stream. mode: durable, summary (payload is a merge patch), replace (payload is the whole summary '
'document), best_effort, or close (the end; payload {"reason": …}). at: the millisecond of id. payload holds JSON '
'(a text frame is a JSON string), bytes holds raw bytes; one of the two is NULL.';

-- Writing ------------------------------------------------------------------

CREATE FUNCTION weir.create_stream(stream text, null_sentinel text DEFAULT NULL, frame_ttl interval DEFAULT NULL,
                                   maxlen_floor integer DEFAULT NULL, maxlen_ceiling integer DEFAULT NULL,
                                   rate_alpha float8 DEFAULT NULL, max_frame_bytes integer DEFAULT NULL,
                                   max_age interval DEFAULT NULL, max_frames bigint DEFAULT NULL,
                                   hold_age interval DEFAULT NULL, hold_frames bigint DEFAULT NULL,
                                   ttl interval DEFAULT NULL,
                                   expires_at timestamptz DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_create_stream' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.create_stream IS
'Creates a stream before its first frame, to give it properties; a stream needs no creating otherwise. Each '
'property left out, or NULL, has its default, now and later; list_stream_properties() gives ranges and defaults. '
'null_sentinel: the string that stands for JSON null in its patches; it stays as it is. Best-effort frames: '
'frame_ttl, how long they are kept unless the append says otherwise; maxlen_floor and maxlen_ceiling, within '
'which lies how many are kept (append_best_effort()); rate_alpha, how fast the rate that this goes by follows. '
'Size: max_frame_bytes of payload, type and headers, below what weir.max_frame_bytes allows anyway; a larger '
'frame is refused (54000), an event at its commit. Retention: max_age, frames older than that go; max_frames, any '
'but the newest so many go; neither, all stay. hold_age, hold_frames: the same bounds for what a subscription '
'with hold has not acknowledged and would else go. Retention is applied by weir''s worker, a little at a time: '
'some seconds after an append, when the oldest frame comes of age, and at once where many came; and by retain(). '
'A reader whose cursor lies below what was removed is told so (WR004). Lifetime: ttl, the stream ends so long '
'after its last append, or after the call that set it; expires_at, it ends at that time, at once if it has '
'passed. An end is a drop: whoever comes later finds no stream, an append begins a new one (and those in '
'flight go with the old one), a reader waiting with weir.wait() is told that it was dropped, whether or not '
'weir''s worker has removed it yet. Appends in flight prolong a ttl, too, and so may a trim of the newest frame; '
'on a standby its end shows when the worker''s drop arrives. Months count 30 days; an age or ttl below a minute '
'is taken, and said in a notice. A stream that is dropped and made again has defaults. Waits for a transaction '
'that is creating the same name; with a null_sentinel, appends to it wait for this one. Retry: WR002 tells that '
'the first attempt worked. Errors: WR002 already exists, 22004, 22023 a property out of range, 42939, 54000, '
'25006.';

CREATE FUNCTION weir.alter_stream(stream text, null_sentinel text DEFAULT NULL, frame_ttl interval DEFAULT NULL,
                                  maxlen_floor integer DEFAULT NULL, maxlen_ceiling integer DEFAULT NULL,
                                  rate_alpha float8 DEFAULT NULL, max_frame_bytes integer DEFAULT NULL,
                                  max_age interval DEFAULT NULL, max_frames bigint DEFAULT NULL,
                                  hold_age interval DEFAULT NULL, hold_frames bigint DEFAULT NULL,
                                  ttl interval DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
                                  reset text[] DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_alter_stream' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.alter_stream IS
'Changes properties of a stream, those of create_stream(); what is left out, or NULL, stays. reset: names of '
'properties that are to have their defaults. A ttl, given or not, begins anew. Every call that begins after the '
'commit goes by them. Waits for another alter, trim or drop of the stream, and lets others wait, until the '
'transaction ends. Safe to retry. Errors: 42704 no such stream, 22023 a property out of range or nothing given or '
'an unknown name in reset, 55000 one that is set for good (null_sentinel), 22004, 25006.';

CREATE FUNCTION weir.list_stream_properties()
    RETURNS TABLE (property text, type regtype, "default" text, range text, alterable boolean)
    AS 'MODULE_PATHNAME', 'weir_list_stream_properties' LANGUAGE C STABLE ROWS 16;
COMMENT ON FUNCTION weir.list_stream_properties IS
'The properties that a stream can have, each with its type, its default (NULL: there is none), its range, and '
'whether alter_stream() can change it.';

CREATE FUNCTION weir.append(stream text, payload jsonb, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                            idempotency_key text DEFAULT NULL,
                            lease text DEFAULT NULL, epoch bigint DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append IS
'Appends one durable frame and returns its position; the stream comes into being with its first frame. Commits '
'with the caller''s transaction; readers see it once everything before it has ended. payload: JSON, not NULL '
'(JSON null is a value). type: up to 512 bytes. headers: a JSON object. idempotency_key: up to 512 bytes; the '
'same call under the same key within weir.idempotency_window returns the first one''s position, and waits for it '
'if it is in flight. lease and epoch, both or neither: only if that lease is live at that epoch, which then holds '
'until the transaction ends (see lease_check(); not asked where a key has its result already). Blocks only while '
'another transaction closes or drops the stream, or ends the lease. A retry is safe with a key. Errors: WR001 '
'closed, WR005 another request under the key, WR010 to WR013 as lease_check(), 22004 NULL stream or payload, '
'22023 blank name, bad headers, empty type or one of lease and epoch alone, 42939 a name that weir itself writes, '
'54000 frame or name too large, 25006 read-only transaction or standby.';

CREATE FUNCTION weir.append_text(stream text, payload text, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                 idempotency_key text DEFAULT NULL,
                                 lease text DEFAULT NULL, epoch bigint DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_text' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_text IS
'As append(), for text: the payload is stored as a JSON string.';

CREATE FUNCTION weir.append_bytes(stream text, payload bytea, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL,
                                  lease text DEFAULT NULL, epoch bigint DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_bytes' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_bytes IS
'As append(), for raw bytes, kept as they are in the frame''s bytes.';

CREATE FUNCTION weir.append_batch(stream text, payloads jsonb[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_batch IS
'Appends the elements of an array as durable frames with consecutive positions, in order, all or none. type and '
'headers are those of each frame; types[i] and headers_each[i], where given and not NULL, are those of the i-th '
'instead. Up to weir.max_batch_frames and weir.max_batch_bytes. Otherwise as append(); further errors: 22004 NULL '
'element of payloads, 22023 empty or multidimensional array, or arrays that differ in length, 54000 too many '
'frames.';

CREATE FUNCTION weir.append_text_batch(stream text, payloads text[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_text_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_text_batch IS
'As append_batch(), for text: each payload is stored as a JSON string.';

CREATE FUNCTION weir.append_bytes_batch(stream text, payloads bytea[], type text DEFAULT NULL,
                                        headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_bytes_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_bytes_batch IS
'As append_batch(), for raw bytes.';

CREATE FUNCTION weir.append_patch(stream text, patch jsonb, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  replace boolean DEFAULT false, OUT id weir.position, OUT summary_version bigint)
    AS 'MODULE_PATHNAME', 'weir_append_patch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_patch IS
'Appends a durable frame of mode summary whose payload is an RFC 7396 merge patch of the stream''s rolling '
'document, and returns its position and the version of the document with it: 1, 2, 3, and so on; a number is '
'missing only where its patch was rolled back. Costs what the patch costs, whatever the size of the document. A '
'string equal to the stream''s null sentinel sets JSON null. replace: the document is this patch applied to '
'nothing, whatever was before; such a frame has mode replace. A document that could pass weir.max_document_bytes '
'with the patch is measured once, and the patch refused if it would. Otherwise as append(); further errors: 22023 '
'patch is not an object, 54000 the document would be too large, 54001 deeper than weir.max_patch_depth.';

CREATE FUNCTION weir.append_best_effort(stream text, payload jsonb, type text DEFAULT NULL,
                                 headers jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL,
                                 lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                 ttl interval DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_best_effort' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort IS
'Appends one best-effort frame: no WAL, no wait for the disk, gone after a crash and never there on a standby. '
'Kept while it is younger than ttl (1 ms to 1 day; NULL: the stream''s frame_ttl) and among the newest K (frames '
'that roll back while others are appended behind them count as well); K is twice what the rate of appending '
'yields in frame_ttl, within maxlen_floor and maxlen_ceiling of the stream (create_stream()). Never removes a '
'durable frame. A new stream''s name, and an idempotency key, are durable all the same. Otherwise as append(); '
'further errors: 22023 ttl out of range.';

CREATE FUNCTION weir.append_best_effort_text(stream text, payload text, type text DEFAULT NULL,
                                 headers jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL,
                                 lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                 ttl interval DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_best_effort_text' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort_text IS
'As append_best_effort(), for text: the payload is stored as a JSON string.';

CREATE FUNCTION weir.append_best_effort_bytes(stream text, payload bytea, type text DEFAULT NULL,
                                 headers jsonb DEFAULT NULL, idempotency_key text DEFAULT NULL,
                                 lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                 ttl interval DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_best_effort_bytes' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort_bytes IS
'As append_best_effort(), for raw bytes.';

CREATE FUNCTION weir.append_best_effort_batch(stream text, payloads jsonb[], type text DEFAULT NULL,
                                              headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  ttl interval DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_best_effort_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort_batch IS
'Appends the elements of an array as best-effort frames with consecutive positions, in order. See append_batch() '
'and append_best_effort().';

CREATE FUNCTION weir.append_best_effort_text_batch(stream text, payloads text[], type text DEFAULT NULL,
                                                   headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  ttl interval DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_best_effort_text_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort_text_batch IS
'As append_best_effort_batch(), for text: each payload is stored as a JSON string.';

CREATE FUNCTION weir.append_best_effort_bytes_batch(stream text, payloads bytea[], type text DEFAULT NULL,
                                                    headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL, lease text DEFAULT NULL, epoch bigint DEFAULT NULL,
                                  types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL,
                                  ttl interval DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_best_effort_bytes_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.append_best_effort_bytes_batch IS
'As append_best_effort_batch(), for raw bytes.';

CREATE FUNCTION weir.close(stream text, reason text DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_close' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.close IS
'Ends a stream: a close mark goes behind its last frame, is delivered after it, and every later append fails with '
'WR001. reason: up to 8192 bytes, carried in the mark''s payload; NULL: none. Returns the position of the mark, '
'on a closed stream that of the first one, so a retry is safe. Waits for a transaction that is closing or '
'dropping the stream. Closing a stream never written creates it. Errors: 22004, 22023, 42939, 54000, 25006.';

CREATE FUNCTION weir.trim(stream text, keep bigint DEFAULT NULL, before weir.position DEFAULT NULL) RETURNS bigint
    AS 'MODULE_PATHNAME', 'weir_trim' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.trim IS
'Removes the oldest frames of a stream, all but the newest keep, or those before a position (exactly one of the '
'two), and returns how many. Only settled frames are removed; the summary document, positions and lifetime counts '
'stay. An unknown stream: 0. Costs what it removes. Waits for another trim or drop of the stream. Safe to retry. '
'Errors: 22023 neither or both of keep and before, or a negative keep, 22004, 25006.';

CREATE FUNCTION weir.drop_stream(stream text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_drop_stream' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.drop_stream IS
'Removes a stream with its frames, summary and idempotency keys; true if there was one. Waits for appends in '
'flight. Using the name again starts a new stream, whose positions lie above every one of the old. One '
'transaction may drop any number; from max_locks_per_transaction of them on, other drops and trims wait for it to '
'end, and housekeeping does. Safe to retry. Errors: 22004, 22023, 25006.';

CREATE FUNCTION weir.drop_streams(pattern text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'weir_drop_streams' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.drop_streams IS
'Drops the streams whose names match a pattern, as drop_stream() does, and returns how many there were. pattern: '
'* stands for any run of characters, ? for any one, \ takes the next as it is. Streams that weir itself writes '
'(leases, leases/…) are left alone; drop_stream() drops them by name. Safe to retry. Errors: 22004 NULL pattern, '
'22023 blank pattern, 22025 pattern that ends with a single \, 54000, 25006.';

-- Reading ------------------------------------------------------------------

CREATE FUNCTION weir.read(stream text, after weir.position DEFAULT NULL, upto weir.position DEFAULT NULL,
                          max integer DEFAULT NULL, visibility text DEFAULT 'all', types text[] DEFAULT NULL,
                          headers jsonb DEFAULT NULL, reverse boolean DEFAULT false, since timestamptz DEFAULT NULL,
                          bookmark boolean DEFAULT false)
    RETURNS SETOF weir.frame
    AS 'MODULE_PATHNAME', 'weir_read' LANGUAGE C STABLE COST 100 ROWS 1000;
COMMENT ON FUNCTION weir.read IS
'The settled frames of a stream in the order of their positions: everything committed, up to the first frame '
'whose transaction is still running. after: exclusive, NULL from the start. upto: inclusive, NULL to the end. '
'since: only frames of that millisecond or later. max: 1 to 10000; NULL: 1000, and a notice where there are more. '
'visibility: all, or exclude_best_effort. types: only frames of these types. headers: only frames whose headers '
'contain these (@>). reverse: newest first, from the settled head. A close mark passes types and headers. '
'bookmark: one more row at the end, of mode bookmark, whose id is the position up to which everything settled was '
'looked at, so that a reader with a filter moves on past what it drops: a cursor as good as that of a frame. It '
'may be the cursor that was given, 0-0 for none. Its type is more where the call stopped before the end, after '
'max or after looking at 100000 frames; else NULL. Without a bookmark a call looks on until it has max or the '
'end. An unknown stream gives no rows; best-effort frames do not exist on a standby; there, and with '
'exclude_best_effort, a cursor may come to lie beyond best-effort frames still in flight. Uses the statement''s '
'snapshot, never blocks, safe to retry. Errors: WR003 after lies ahead of the log, WR004 after has missed what '
'was removed, 22004, 22023 out of range, a bookmark of a reverse read, 54000.';

CREATE FUNCTION weir.read_many(streams text[], after weir.position[] DEFAULT NULL,
                               upto weir.position[] DEFAULT NULL, max integer DEFAULT NULL,
                               visibility text DEFAULT 'all', types text[] DEFAULT NULL, headers jsonb DEFAULT NULL,
                               reverse boolean DEFAULT false, since timestamptz DEFAULT NULL,
                               bookmark boolean DEFAULT false,
                               OUT stream text, OUT id weir.position, OUT at timestamptz, OUT mode text, OUT type text,
                               OUT payload jsonb, OUT bytes bytea, OUT headers jsonb)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'weir_read_many' LANGUAGE C STABLE COST 100 ROWS 1000;
COMMENT ON FUNCTION weir.read_many IS
'As read(), over several streams with one snapshot: after[i] and upto[i] are those of streams[i]. A stream held '
'up by a transaction in flight holds up no other. max is for each stream, and 10000 rows in all, evenly divided. '
'bookmark: one for each stream, behind its frames; it shares the 100000 frames out evenly, at least 1000 to each. '
'Further errors: 22023 arrays that differ in length, 22004 NULL name.';

CREATE FUNCTION weir.head(stream text) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_head' LANGUAGE C STABLE;
COMMENT ON FUNCTION weir.head IS
'The newest settled position: read(stream, after => head(stream)) gives what comes from now on. 0-0 for a stream '
'not yet written. Never blocks.';

CREATE FUNCTION weir.summary(stream text)
    RETURNS TABLE (document jsonb, version bigint, "position" weir.position, patch_kind text,
                   first_applied timestamptz, last_updated timestamptz)
    AS 'MODULE_PATHNAME', 'weir_summary' LANGUAGE C STABLE ROWS 1;
COMMENT ON FUNCTION weir.summary IS
'The rolling document of a stream: all settled patches merged in the order of their positions. version and '
'position are those of the newest patch in it; first_applied and last_updated the times of the first and the '
'newest. No row where there is no patch. Costs reading the document and the patches since the last checkpoint '
'(some hundreds). Never blocks. Errors: 22004, 22023, 54000 document too large: replace it with append_patch().';

CREATE FUNCTION weir.summary_at(stream text, upto weir.position DEFAULT NULL, at timestamptz DEFAULT NULL)
    RETURNS TABLE (document jsonb, version bigint, "position" weir.position, patch_kind text,
                   first_applied timestamptz, last_updated timestamptz)
    AS 'MODULE_PATHNAME', 'weir_summary_at' LANGUAGE C STABLE ROWS 1;
COMMENT ON FUNCTION weir.summary_at IS
'The rolling document as it stood, from the patches up to and including a position, or those of a time or earlier '
'(exactly one of upto and at; at may not lie in the future). Costs the patches since the last checkpoint before '
'it. No row where there was no patch yet. Errors: WR006 the patches were trimmed, WR003 upto lies ahead of the '
'log, 22004 NULL stream, 22023 neither or both of upto and at, or at in the future.';

CREATE FUNCTION weir.stream_info(stream text)
    RETURNS TABLE (stream text, first_id weir.position, last_id weir.position,
                   frames bigint, lifetime_frames bigint, bytes bigint, lifetime_bytes bigint,
                   best_effort_frames bigint, rate_hz float8, maxlen integer,
                   version bigint, closed boolean, close_reason text, lead_ms bigint, properties jsonb)
    AS 'MODULE_PATHNAME', 'weir_stream_info' LANGUAGE C STABLE ROWS 1;
COMMENT ON FUNCTION weir.stream_info IS
'Counts, rate and state of one stream, the columns of the view streams; no row for an unknown one. Costs the '
'frames since the last checkpoint (some hundreds) and the best-effort frames kept. Never blocks. Errors: 22004, '
'22023.';

CREATE FUNCTION weir.list_streams(pattern text DEFAULT '*', after text DEFAULT NULL, max integer DEFAULT 1000)
    RETURNS TABLE (stream text, closed boolean)
    AS 'MODULE_PATHNAME', 'weir_list_streams' LANGUAGE C STABLE ROWS 1000;
COMMENT ON FUNCTION weir.list_streams IS
'The streams that there are, in the order of their names byte by byte, and whether each is closed. pattern: * '
'stands for any run of characters, ? for any one, \ takes the next as it is; what stands before the first of them '
'is looked up, the rest is gone through. after: the last name of the page before, NULL for the first page; it '
'need not be there any more. max: 1 to 10000. Costs a look at each name. Never blocks. Errors: 22004 NULL pattern '
'or max, 22023 blank pattern, max out of range, 22025 pattern that ends with a single \, 54000 pattern too long.';

-- Those that a role with some names may read. Behind a barrier: no condition of the caller's sees another.
CREATE VIEW weir.readable_names WITH (security_barrier) AS
    SELECT DISTINCT r.name FROM weir.registry r
    WHERE r.kind OPERATOR(pg_catalog.=) 's' AND NOT weir.has_access() AND weir.has_access(r.name);
COMMENT ON VIEW weir.readable_names IS
'Internal. The part of the view streams for roles that may read some names only.';
COMMENT ON COLUMN weir.readable_names.name IS
'The stream.';

-- The name is that of the registry and not the function's, so that a condition on it is met before the
-- stream is looked at, and an order by it is that of the index. Nothing of the first branch is looked at by a
-- role that may not read all names.
CREATE VIEW weir.streams AS
    SELECT n.name AS stream, i.first_id, i.last_id, i.frames, i.lifetime_frames, i.bytes, i.lifetime_bytes,
           i.best_effort_frames, i.rate_hz, i.maxlen, i.version, i.closed, i.close_reason, i.lead_ms,
           i.properties
    FROM (SELECT DISTINCT r.name FROM weir.registry r
          WHERE r.kind OPERATOR(pg_catalog.=) 's' AND weir.has_access()
          UNION ALL
          SELECT r.name FROM weir.readable_names r) n
    CROSS JOIN LATERAL weir.stream_info(n.name) i;

COMMENT ON VIEW weir.streams IS
'Every stream that the caller may read, with its counts, rate and state: one row of stream_info() each. Costs a '
'little for each stream whose name meets the condition (=, LIKE ''begins so%'', ranges, ORDER BY stream LIMIT use '
'the index), not for each frame. For the names alone, by page, list_streams() is cheaper.';
COMMENT ON COLUMN weir.streams.stream IS
'The stream.';
COMMENT ON COLUMN weir.streams.first_id IS
'The oldest frame that is retained, NULL for none.';
COMMENT ON COLUMN weir.streams.last_id IS
'The newest settled frame or close mark, NULL for none.';
COMMENT ON COLUMN weir.streams.frames IS
'Settled frames that are retained, of every mode.';
COMMENT ON COLUMN weir.streams.lifetime_frames IS
'Frames ever appended. Best-effort frames count as they are given out, rolled back ones too, and anew after a '
'crash.';
COMMENT ON COLUMN weir.streams.bytes IS
'Bytes of payload, type and headers of the retained frames, uncompressed.';
COMMENT ON COLUMN weir.streams.lifetime_bytes IS
'Bytes of all durable frames ever appended and of the best-effort frames retained.';
COMMENT ON COLUMN weir.streams.best_effort_frames IS
'Best-effort frames that are retained: among the newest maxlen and younger than their ttl.';
COMMENT ON COLUMN weir.streams.rate_hz IS
'Best-effort frames a second, a moving average as of now. NULL where there never were any.';
COMMENT ON COLUMN weir.streams.maxlen IS
'K in force: how many best-effort frames are kept at the most. NULL where there never were any.';
COMMENT ON COLUMN weir.streams.version IS
'Version of the summary document, 0 for none.';
COMMENT ON COLUMN weir.streams.closed IS
'Whether the stream was closed.';
COMMENT ON COLUMN weir.streams.close_reason IS
'The reason given to close(), NULL for none.';
COMMENT ON COLUMN weir.streams.lead_ms IS
'Milliseconds by which the newest position lies ahead of the server''s clock: 0, unless the clock was set back or '
'positions were borrowed.';
COMMENT ON COLUMN weir.streams.properties IS
'The properties that were set, by their names; the others are as list_stream_properties() says.';

INSERT INTO weir.privilege (level, name) VALUES
    ('read', 'read'), ('read', 'read_many'), ('read', 'head'), ('read', 'summary'), ('read', 'summary_at'),
    ('read', 'stream_info'), ('read', 'streams'), ('read', 'list_streams'), ('read', 'list_stream_properties'),
    ('read', 'readable_names'),
    ('write', 'create_stream'), ('write', 'append'), ('write', 'append_text'), ('write', 'append_bytes'),
    ('write', 'append_batch'), ('write', 'append_text_batch'), ('write', 'append_bytes_batch'),
    ('write', 'append_patch'),
    ('write', 'append_best_effort'), ('write', 'append_best_effort_text'), ('write', 'append_best_effort_bytes'),
    ('write', 'append_best_effort_batch'), ('write', 'append_best_effort_text_batch'),
    ('write', 'append_best_effort_bytes_batch'), ('write', 'close'),
    ('admin', 'alter_stream'), ('admin', 'trim'), ('admin', 'drop_stream'), ('admin', 'drop_streams');
