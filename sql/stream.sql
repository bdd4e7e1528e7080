-- SPDX-License-Identifier: PostgreSQL
-- Streams: ordered, resumable sequences of frames, and the rolling summary.

-- Names. Rows are inserted and deleted, never updated. Two transactions that
-- create one name at the same time both leave a row, with one id.
CREATE TABLE weir.stream (
    name          text COLLATE "C" NOT NULL,
    stream_id     bigint NOT NULL,
    null_sentinel text COLLATE "C" NOT NULL,
    dropped_at    weir.position
);
CREATE INDEX stream_name_idx ON weir.stream (name);
CREATE INDEX stream_id_idx ON weir.stream (stream_id);
CREATE INDEX stream_dropped_idx ON weir.stream (dropped_at) WHERE dropped_at IS NOT NULL;
CREATE SEQUENCE weir.stream_id_seq OWNED BY weir.stream.stream_id;

-- The log. Fixed-width columns come first: the writer reads and fills them in
-- place (src/stream/frame.hpp). Insert and delete only.
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
    PRIMARY KEY (stream_id, id)
);

-- Best-effort frames: no WAL, gone after a crash, not there on a standby.
CREATE UNLOGGED TABLE weir.frame_live (
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
    PRIMARY KEY (stream_id, id)
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

COMMENT ON TABLE weir.stream IS 'Internal. Stream names; see the view weir.streams.';
COMMENT ON TABLE weir.frame_log IS 'Internal. Durable and summary frames and the marks in their order; read with weir.read().';
COMMENT ON TABLE weir.frame_live IS 'Internal. Best-effort frames; read with weir.read().';
COMMENT ON TABLE weir.checkpoint IS 'Internal. Settled folds of each stream, from which summaries and counts start.';
COMMENT ON TABLE weir.idempotency IS 'Internal. Keys seen within weir.idempotency_window, with what their call returned.';
COMMENT ON SEQUENCE weir.stream_id_seq IS 'Internal. Ids of streams.';

SELECT pg_catalog.pg_extension_config_dump('weir.clock', '');
SELECT pg_catalog.pg_extension_config_dump('weir.stream', '');
SELECT pg_catalog.pg_extension_config_dump('weir.stream_id_seq', '');
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
'One entry of a stream. mode: durable, summary (payload is a merge patch), best_effort, or close (the end; payload {"reason": …}). at: the millisecond of id. payload holds JSON (a text frame is a JSON string), bytes holds raw bytes; one of the two is NULL.';

-- Writing ------------------------------------------------------------------

CREATE FUNCTION weir.create_stream(stream text, null_sentinel text DEFAULT '__weir_null__') RETURNS void
    AS 'MODULE_PATHNAME', 'weir_create_stream' LANGUAGE C VOLATILE;

CREATE FUNCTION weir.append(stream text, payload jsonb, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                            idempotency_key text DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append' LANGUAGE C VOLATILE;
CREATE FUNCTION weir.append_text(stream text, payload text, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                 idempotency_key text DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_text' LANGUAGE C VOLATILE;
CREATE FUNCTION weir.append_bytes(stream text, payload bytea, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_bytes' LANGUAGE C VOLATILE;

CREATE FUNCTION weir.append_batch(stream text, payloads jsonb[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_batch' LANGUAGE C VOLATILE;
CREATE FUNCTION weir.append_batch(stream text, payloads text[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_text_batch' LANGUAGE C VOLATILE;
CREATE FUNCTION weir.append_batch(stream text, payloads bytea[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL,
                                  OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_bytes_batch' LANGUAGE C VOLATILE;

CREATE FUNCTION weir.append_patch(stream text, patch jsonb, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                  idempotency_key text DEFAULT NULL,
                                  OUT id weir.position, OUT summary_version bigint)
    AS 'MODULE_PATHNAME', 'weir_append_patch' LANGUAGE C VOLATILE;

CREATE FUNCTION weir.append_live(stream text, payload jsonb, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                 idempotency_key text DEFAULT NULL, ttl_ms integer DEFAULT 30000,
                                 maxlen_floor integer DEFAULT 64, maxlen_ceiling integer DEFAULT 16384,
                                 ema_alpha float8 DEFAULT 0.2) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_live' LANGUAGE C VOLATILE;
CREATE FUNCTION weir.append_live_text(stream text, payload text, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                      idempotency_key text DEFAULT NULL, ttl_ms integer DEFAULT 30000,
                                      maxlen_floor integer DEFAULT 64, maxlen_ceiling integer DEFAULT 16384,
                                      ema_alpha float8 DEFAULT 0.2) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_live_text' LANGUAGE C VOLATILE;
CREATE FUNCTION weir.append_live_bytes(stream text, payload bytea, type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                       idempotency_key text DEFAULT NULL, ttl_ms integer DEFAULT 30000,
                                       maxlen_floor integer DEFAULT 64, maxlen_ceiling integer DEFAULT 16384,
                                       ema_alpha float8 DEFAULT 0.2) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_append_live_bytes' LANGUAGE C VOLATILE;

CREATE FUNCTION weir.append_live_batch(stream text, payloads jsonb[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                       idempotency_key text DEFAULT NULL, ttl_ms integer DEFAULT 30000,
                                       maxlen_floor integer DEFAULT 64, maxlen_ceiling integer DEFAULT 16384,
                                       ema_alpha float8 DEFAULT 0.2,
                                       OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_live_batch' LANGUAGE C VOLATILE;
CREATE FUNCTION weir.append_live_batch(stream text, payloads text[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                       idempotency_key text DEFAULT NULL, ttl_ms integer DEFAULT 30000,
                                       maxlen_floor integer DEFAULT 64, maxlen_ceiling integer DEFAULT 16384,
                                       ema_alpha float8 DEFAULT 0.2,
                                       OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_live_text_batch' LANGUAGE C VOLATILE;
CREATE FUNCTION weir.append_live_batch(stream text, payloads bytea[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                                       idempotency_key text DEFAULT NULL, ttl_ms integer DEFAULT 30000,
                                       maxlen_floor integer DEFAULT 64, maxlen_ceiling integer DEFAULT 16384,
                                       ema_alpha float8 DEFAULT 0.2,
                                       OUT first_id weir.position, OUT last_id weir.position, OUT frames integer)
    AS 'MODULE_PATHNAME', 'weir_append_live_bytes_batch' LANGUAGE C VOLATILE;

CREATE FUNCTION weir.close(stream text, reason text DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_close' LANGUAGE C VOLATILE;
CREATE FUNCTION weir.trim(stream text, keep bigint DEFAULT NULL, before weir.position DEFAULT NULL) RETURNS bigint
    AS 'MODULE_PATHNAME', 'weir_trim' LANGUAGE C VOLATILE;
CREATE FUNCTION weir.drop_stream(stream text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_drop_stream' LANGUAGE C VOLATILE;

-- Reading ------------------------------------------------------------------

CREATE FUNCTION weir.read(stream text, after weir.position DEFAULT NULL, upto weir.position DEFAULT NULL,
                          max_frames integer DEFAULT 1000, visibility text DEFAULT 'all', types text[] DEFAULT NULL,
                          headers jsonb DEFAULT NULL, reverse boolean DEFAULT false, since timestamptz DEFAULT NULL)
    RETURNS SETOF weir.frame
    AS 'MODULE_PATHNAME', 'weir_read' LANGUAGE C STABLE COST 100 ROWS 1000;
CREATE FUNCTION weir.read_many(streams text[], after weir.position[] DEFAULT NULL, max_frames integer DEFAULT 1000,
                               visibility text DEFAULT 'all', types text[] DEFAULT NULL, headers jsonb DEFAULT NULL,
                               OUT stream text, OUT id weir.position, OUT at timestamptz, OUT mode text, OUT type text,
                               OUT payload jsonb, OUT bytes bytea, OUT headers jsonb)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'weir_read_many' LANGUAGE C STABLE COST 100 ROWS 1000;
CREATE FUNCTION weir.head(stream text) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_head' LANGUAGE C STABLE;
CREATE FUNCTION weir.summary(stream text)
    RETURNS TABLE (document jsonb, version bigint, "position" weir.position, patch_kind text,
                   first_applied timestamptz, last_updated timestamptz)
    AS 'MODULE_PATHNAME', 'weir_summary' LANGUAGE C STABLE ROWS 1;
CREATE FUNCTION weir.summary_at(stream text, "position" weir.position)
    RETURNS TABLE (document jsonb, version bigint, "position" weir.position, patch_kind text,
                   first_applied timestamptz, last_updated timestamptz)
    AS 'MODULE_PATHNAME', 'weir_summary_at' LANGUAGE C STABLE ROWS 1;
CREATE FUNCTION weir.stream_info(stream text)
    RETURNS TABLE (name text, first_id weir.position, last_id weir.position,
                   frames bigint, lifetime_frames bigint, bytes bigint, lifetime_bytes bigint,
                   best_effort_frames bigint, rate_hz float8, maxlen integer,
                   version bigint, closed boolean, close_reason text, lead_ms bigint)
    AS 'MODULE_PATHNAME', 'weir_stream_info' LANGUAGE C STABLE ROWS 1;

CREATE VIEW weir.streams AS
    SELECT i.*
    FROM (SELECT DISTINCT s.name FROM weir.stream s) n
    CROSS JOIN LATERAL weir.stream_info(n.name) i;

INSERT INTO weir.privilege (level, function)
    SELECT CASE
               WHEN p.proname IN ('read', 'read_many', 'head', 'summary', 'summary_at', 'stream_info') THEN 'read'
               WHEN p.proname IN ('trim', 'drop_stream') THEN 'admin'
               ELSE 'write'
           END, p.oid
    FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = 'weir'::regnamespace
      AND p.oid NOT IN (SELECT v.function::oid FROM weir.privilege v WHERE v.function IS NOT NULL);
INSERT INTO weir.privilege (level, relation) VALUES ('read', 'weir.streams');
