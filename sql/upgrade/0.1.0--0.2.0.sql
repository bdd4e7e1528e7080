-- SPDX-License-Identifier: PostgreSQL
\echo Use "ALTER EXTENSION weir UPDATE TO '0.2.0'" to load this file. \quit

-- What is made anew here, roles get the right to by another call of weir.grant_access().
SET LOCAL search_path = pg_catalog, pg_temp;

-- Streams have a limit of their own on the size of their frames, max_frame_bytes.

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

REVOKE ALL ON FUNCTION weir.create_stream, weir.alter_stream FROM PUBLIC;

-- Roles are read in a way that a subscriber of FOR ALL TABLES can do without them.
CREATE TYPE weir.role;

CREATE FUNCTION weir.role_in(cstring) RETURNS weir.role
    AS 'MODULE_PATHNAME', 'weir_role_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.role_in IS
'Input function of weir.role. No such role: 42704, but for what logical replication brings, which is left out.';

CREATE FUNCTION weir.role_out(weir.role) RETURNS cstring
    AS 'regroleout' LANGUAGE internal STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.role_out IS
'Output function of weir.role.';

CREATE FUNCTION weir.role_recv(internal) RETURNS weir.role
    AS 'regrolerecv' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.role_recv IS
'Binary input of weir.role: the OID.';

CREATE FUNCTION weir.role_send(weir.role) RETURNS bytea
    AS 'regrolesend' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.role_send IS
'Binary output of weir.role: the OID.';

CREATE TYPE weir.role (
    INPUT = weir.role_in,
    OUTPUT = weir.role_out,
    RECEIVE = weir.role_recv,
    SEND = weir.role_send,
    LIKE = pg_catalog.regrole
);
COMMENT ON TYPE weir.role IS
'Internal. A role in weir''s own tables: regrole, but for what logical replication brings.';
CREATE CAST (weir.role AS pg_catalog.oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.regrole AS weir.role) WITHOUT FUNCTION AS ASSIGNMENT;
REVOKE ALL ON TYPE weir.role FROM PUBLIC;
REVOKE ALL ON FUNCTION weir.role_in, weir.role_out, weir.role_recv, weir.role_send FROM PUBLIC;
INSERT INTO weir.privilege (level, name) VALUES
    ('owner', 'role_in'), ('owner', 'role_out'), ('owner', 'role_recv'), ('owner', 'role_send');

ALTER TABLE weir.subscription ALTER COLUMN owner TYPE weir.role;
-- The view stays, with what others made of it, and lets go of the column meanwhile.
CREATE OR REPLACE VIEW weir.access AS
    SELECT NULL::pg_catalog.regrole AS role, NULL::pg_catalog.text AS level, NULL::pg_catalog.text COLLATE "C" AS names;
ALTER TABLE weir.access_grant ALTER COLUMN role TYPE weir.role;
CREATE OR REPLACE VIEW weir.access AS
    SELECT g.role::pg_catalog.oid::pg_catalog.regrole AS role, g.level, g.names
    FROM weir.access_grant g
    WHERE pg_catalog.pg_has_role(g.role, 'USAGE')
       OR EXISTS (SELECT FROM pg_catalog.pg_class c
                  WHERE c.oid OPERATOR(pg_catalog.=) 'weir.access_grant'::pg_catalog.regclass
                    AND pg_catalog.pg_has_role(c.relowner, 'USAGE'));

CREATE OR REPLACE FUNCTION weir.revoke_access(role regrole, names text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    kept text[];
    routine regprocedure;
    view regclass;
BEGIN
    IF role IS NULL THEN
        RAISE EXCEPTION 'role must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF weir.remove_access(role, names) = 0 AND names IS NOT NULL THEN
        RAISE WARNING 'role % was not granted access to names "%"', role, names
            USING HINT = 'See the view weir.access. What was granted for wider names is revoked by those.';
    END IF;
    kept := (SELECT array_agg(l.level)
             FROM (VALUES ('read', 1), ('write', 2), ('admin', 3)) l (level, rank)
             WHERE l.rank <= (SELECT max(array_position(ARRAY['read', 'write', 'admin'], g.level))
                              FROM weir.access_grant g WHERE g.role = revoke_access.role));
    IF kept IS NULL THEN
        EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA weir FROM %s', role);
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA weir FROM %s', role);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA weir FROM %s', role);
        EXECUTE format('REVOKE ALL ON TYPE weir."position", weir.frame, weir.kv_change, weir.role FROM %s', role);
        EXECUTE format('REVOKE ALL ON SCHEMA weir FROM %s', role);
        RETURN;
    END IF;
    FOR routine IN
        SELECT p.oid
        FROM weir.privilege v JOIN pg_proc p ON p.proname = v.name AND p.pronamespace = 'weir'::regnamespace
        WHERE v.level <> ALL (kept)
    LOOP
        EXECUTE format('REVOKE ALL ON ROUTINE %s FROM %s', routine, role);
    END LOOP;
    FOR view IN
        SELECT c.oid
        FROM weir.privilege v JOIN pg_class c ON c.relname = v.name AND c.relnamespace = 'weir'::regnamespace
        WHERE v.level <> ALL (kept) AND c.relkind = 'v'
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', view, role);
    END LOOP;
END
$$;

-- include sql/kv.sql

COMMENT ON TABLE weir.registry IS
'Internal. Names, ids and kinds of all logs; s: stream, see the view weir.streams; b: bucket, '
'see weir.buckets.';

CREATE TRIGGER skip_replicated BEFORE INSERT OR UPDATE OR DELETE ON weir.bucket_property
    FOR EACH ROW EXECUTE FUNCTION weir.skip_replicated();
ALTER TABLE weir.bucket_property ENABLE REPLICA TRIGGER skip_replicated;
CREATE TRIGGER refuse_restored BEFORE INSERT ON weir.bucket_property
    FOR EACH ROW EXECUTE FUNCTION weir.refuse_restored();
CREATE TRIGGER skip_replicated BEFORE INSERT OR UPDATE OR DELETE ON weir.kv_log
    FOR EACH ROW EXECUTE FUNCTION weir.skip_replicated();
ALTER TABLE weir.kv_log ENABLE REPLICA TRIGGER skip_replicated;
CREATE TRIGGER refuse_restored BEFORE INSERT ON weir.kv_log FOR EACH ROW EXECUTE FUNCTION weir.refuse_restored();
CREATE TRIGGER skip_replicated BEFORE INSERT OR UPDATE OR DELETE ON weir.kv_checkpoint
    FOR EACH ROW EXECUTE FUNCTION weir.skip_replicated();
ALTER TABLE weir.kv_checkpoint ENABLE REPLICA TRIGGER skip_replicated;
CREATE TRIGGER refuse_restored BEFORE INSERT ON weir.kv_checkpoint FOR EACH ROW EXECUTE FUNCTION weir.refuse_restored();
CREATE TRIGGER skip_replicated BEFORE INSERT OR UPDATE OR DELETE ON weir.kv_due
    FOR EACH ROW EXECUTE FUNCTION weir.skip_replicated();
ALTER TABLE weir.kv_due ENABLE REPLICA TRIGGER skip_replicated;
CREATE TRIGGER refuse_restored BEFORE INSERT ON weir.kv_due FOR EACH ROW EXECUTE FUNCTION weir.refuse_restored();

REVOKE ALL ON FUNCTION
    weir.alter_bucket, weir.bucket_info, weir.create_bucket, weir.drop_bucket, weir.kv_check, weir.kv_compact,
    weir.kv_create, weir.kv_create_bytes, weir.kv_create_text, weir.kv_delete, weir.kv_entry, weir.kv_get,
    weir.kv_get_bytes, weir.kv_get_many, weir.kv_get_text, weir.kv_head, weir.kv_history, weir.kv_keys, weir.kv_purge,
    weir.kv_put, weir.kv_put_bytes, weir.kv_put_bytes_many, weir.kv_put_many, weir.kv_put_text, weir.kv_put_text_many,
    weir.kv_scan, weir.kv_update, weir.kv_update_bytes, weir.kv_update_text, weir.kv_watch,
    weir.list_bucket_properties, weir.list_buckets
    FROM PUBLIC;
REVOKE ALL ON TABLE
    weir.bucket_property, weir.kv_log, weir.kv_checkpoint, weir.kv_due, weir.readable_buckets, weir.buckets
    FROM PUBLIC;
REVOKE ALL ON TYPE weir.kv_change FROM PUBLIC;

CREATE OR REPLACE FUNCTION weir.grant_access(role regrole, level text, names text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    levels text[];
    routine regprocedure;
    view regclass;
BEGIN
    IF role IS NULL THEN
        RAISE EXCEPTION 'role must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles a WHERE a.oid = role) THEN
        RAISE EXCEPTION 'role with OID % does not exist', role::oid USING ERRCODE = 'undefined_object';
    END IF;
    levels := CASE level
        WHEN 'read' THEN ARRAY['read']
        WHEN 'write' THEN ARRAY['read', 'write']
        WHEN 'admin' THEN ARRAY['read', 'write', 'admin']
    END;
    IF levels IS NULL THEN
        RAISE EXCEPTION 'unknown access level %', coalesce('"' || level || '"', 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Levels are read, write and admin.';
    END IF;
    PERFORM weir.enter_access(role, level, coalesce(names, '*'));
    EXECUTE format('GRANT USAGE ON SCHEMA weir TO %s', role);
    EXECUTE format('GRANT USAGE ON TYPE weir."position", weir.frame, weir.kv_change TO %s', role);
    FOR routine IN
        SELECT p.oid
        FROM weir.privilege v JOIN pg_proc p ON p.proname = v.name AND p.pronamespace = 'weir'::regnamespace
        WHERE v.level = ANY (levels)
    LOOP
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s', routine, role);
    END LOOP;
    FOR view IN
        SELECT c.oid
        FROM weir.privilege v JOIN pg_class c ON c.relname = v.name AND c.relnamespace = 'weir'::regnamespace
        WHERE v.level = ANY (levels) AND c.relkind = 'v'
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO %s', view, role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION weir.grant_access IS
'Lets a role use weir. level read: everything that reads and waits, subscriptions of its own, and the pure '
'functions; write: also append, emit, close, create_stream, create_bucket, put and what else writes keys, notify, '
'the calls of leases and making triggers; admin: also trim, retention, dropping and altering streams and buckets, '
'compaction, lease_revoke and, with all names, the subscriptions of others. The privileges of each call are in the '
'table weir.privilege. A higher level includes the lower ones. names: a pattern of the names, of streams, buckets '
'and leases, that this level is for: * stands for any run of characters, ? for any one, \ takes the next as it is; '
'NULL: all names. Calls add up: a lower level granted later takes nothing away, nor do narrower names; use '
'revoke_access() first. Members of the role have what it has, as with the server''s own privileges. EXECUTE granted '
'by hand opens no name. Counts for statements that begin after the commit. Call it again after an upgrade of the '
'extension. Needs the owner of the extension. Safe to retry. Errors: 22023 unknown level, or blank names, 22025 '
'names that end with a single \, 22004 NULL role, 42704 no such role, 54000 names too long, 42501 not the owner.';

-- A column that names a stream is called stream, the argument that names a job job.
DROP VIEW weir.streams;
DROP FUNCTION weir.stream_info(text);
DROP FUNCTION weir.housekeep(text);

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

CREATE FUNCTION weir.housekeep(job text DEFAULT NULL)
    RETURNS TABLE (job text, steps bigint, failures bigint, last_error text)
    AS 'MODULE_PATHNAME', 'weir_housekeep' LANGUAGE C VOLATILE ROWS 8;
COMMENT ON FUNCTION weir.housekeep IS
'Does in this transaction what weir''s worker would do beside it, and returns what was done, a row a job. job: '
'one of weir.housekeeping, which then looks at everything; NULL: what is pending or due. For where no worker can '
'be had (call it now and then, in a transaction of its own, since it keeps its locks until the end of it), with '
'the setting weir.housekeeping off, and for tests. A step that fails is rolled back, reported and tried again '
'later. Waits for nobody but as any writer does. Can be repeated. Errors: 42704 no such job, 25006 on a standby.';

REVOKE ALL ON FUNCTION weir.stream_info, weir.housekeep FROM PUBLIC;
REVOKE ALL ON weir.streams FROM PUBLIC;

-- Positions are assigned.
COMMENT ON SEQUENCE weir.clock IS
'Internal. An upper bound of every position assigned, so that none is given out twice after a crash, a failover '
'or a step back of the clock.';
COMMENT ON VIEW weir.lives IS
'The lives of the database. A crash, a promotion and a restore begin a new one, in which what was assigned last '
'before may be missing; its row is written by whoever writes first. A cursor from a life that is over, and on '
'something that was lost, is told so (WR003).';
COMMENT ON COLUMN weir.lives.began_above IS
'Everything that was assigned in lives before lies at or below it, all that is assigned in this one above.';
