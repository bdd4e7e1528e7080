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
        EXECUTE format('REVOKE ALL ON TYPE weir."position", weir.frame, weir.role FROM %s', role);
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
