-- SPDX-License-Identifier: PostgreSQL
\echo Use "ALTER EXTENSION weir UPDATE TO '0.2.0'" to load this file. \quit

-- Streams have a limit of their own on the size of their frames, max_frame_bytes. Roles that may create or alter
-- streams get that right back by another call of weir.grant_access().
SET LOCAL search_path = pg_catalog, pg_temp;

DROP FUNCTION weir.create_stream(text, text, interval, integer, integer, float8, interval, bigint, interval, bigint,
                                 interval, timestamptz);
DROP FUNCTION weir.alter_stream(text, text, interval, integer, integer, float8, interval, bigint, interval, bigint,
                                interval, timestamptz, text[]);

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
'passed. An end is a drop: whoever comes later finds no stream, an append begins a new one (it waits for appends '
'in flight, as a drop does), a reader waiting with weir.wait() is told that it was dropped, whether or not '
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

REVOKE ALL ON FUNCTION weir.create_stream, weir.alter_stream FROM PUBLIC;
