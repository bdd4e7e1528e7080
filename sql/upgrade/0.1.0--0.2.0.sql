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

-- Buckets: a versioned KV with watch.

-- Of the buckets that have any (src/kv/properties.hpp), by their names; an interval in milliseconds.
CREATE TABLE weir.bucket_property (
    bucket_id  bigint PRIMARY KEY,
    properties jsonb NOT NULL
);

-- The log: every change of a key is a row of its own. Fixed-width columns come first: the writer reads and fills them
-- in in place (src/kv/change.hpp). Insert and delete only. Revisions differ, so there is nothing to deduplicate in the
-- indexes. The second one finds the newest change of a key.
CREATE TABLE weir.kv_log (
    bucket_id  bigint NOT NULL,
    revision   weir.position NOT NULL,
    ordinal    bigint NOT NULL,
    written    bigint NOT NULL,
    expires_at bigint NOT NULL, -- milliseconds since 1970, 0: never
    op         "char" NOT NULL,
    key        text COLLATE "C",
    value      jsonb,
    bytes      bytea,
    headers    jsonb,
    PRIMARY KEY (bucket_id, revision) WITH (deduplicate_items = off)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX kv_log_key_idx ON weir.kv_log (bucket_id, key, revision) WITH (deduplicate_items = off);

-- How far housekeeping has come in each bucket, what it found up to there, and what it removed.
CREATE TABLE weir.kv_checkpoint (
    bucket_id     bigint NOT NULL,
    "position"    weir.position NOT NULL,
    keys          bigint NOT NULL,
    kept          bigint NOT NULL,
    bytes         bigint NOT NULL,
    written       bigint NOT NULL,
    history_floor weir.position NOT NULL,
    changes_floor weir.position NOT NULL,
    PRIMARY KEY (bucket_id, "position")
);

-- Changes to be looked at in time: a put that expires, a tombstone that has been there for long enough.
CREATE TABLE weir.kv_due (
    due_at    bigint NOT NULL, -- milliseconds since 1970
    bucket_id bigint NOT NULL,
    revision  weir.position NOT NULL,
    PRIMARY KEY (due_at, bucket_id, revision)
);

COMMENT ON TABLE weir.bucket_property IS
'Internal. Properties of buckets; see the column properties of the view weir.buckets.';
COMMENT ON TABLE weir.kv_log IS
'Internal. The changes of all buckets; read with weir.kv_get() and its like.';
COMMENT ON TABLE weir.kv_checkpoint IS
'Internal. Settled counts and floors of each bucket.';
COMMENT ON TABLE weir.kv_due IS
'Internal. When which change of a bucket expires, or has been a tombstone for long enough.';

SELECT pg_catalog.pg_extension_config_dump('weir.bucket_property', '');
SELECT pg_catalog.pg_extension_config_dump('weir.kv_log', '');
SELECT pg_catalog.pg_extension_config_dump('weir.kv_checkpoint', '');
SELECT pg_catalog.pg_extension_config_dump('weir.kv_due', '');

CREATE TYPE weir.kv_change AS (
    key        text,
    revision   weir.position,
    at         timestamptz,
    op         text,
    value      jsonb,
    bytes      bytea,
    headers    jsonb,
    expires_at timestamptz
);
COMMENT ON TYPE weir.kv_change IS
'One change of a key. op: put, delete, purge, or expire; bookmark, of a row that is no change. at: the millisecond of '
'revision. value holds JSON (a text is a JSON string), bytes holds raw bytes; of a put one of the two is NULL, else '
'both. expires_at: when a put expires, NULL for never.';

-- Buckets ------------------------------------------------------------------

CREATE FUNCTION weir.create_bucket(bucket text, history integer DEFAULT NULL, ttl interval DEFAULT NULL,
                                   max_value_bytes integer DEFAULT NULL, max_bytes bigint DEFAULT NULL,
                                   evict boolean DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_create_bucket' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.create_bucket IS
'Creates a bucket before its first put, to give it properties; a bucket needs no creating otherwise. Each property '
'left out, or NULL, has its default, now and later; list_bucket_properties() gives ranges and defaults. history: '
'how many changes of each key are kept, the newest included. ttl: after so long a put expires, unless it says '
'otherwise; it counts for puts that come after. max_value_bytes: a larger value is refused (54000), below what '
'weir.max_frame_bytes allows anyway. max_bytes of keys, values and headers, with the history: a put that would '
'exceed them is refused (53400), or, with evict, the oldest keys expire soon after. Months count 30 days; a ttl '
'below a minute is taken, and said in a notice. A bucket that is dropped and made again has defaults. Waits for a '
'transaction that is creating the same name. Retry: WR002 tells that the first attempt worked. Errors: WR002 '
'already exists, 22004, 22023 a property out of range, 42809 the name is that of another thing, 42939, 54000, '
'25006.';

CREATE FUNCTION weir.alter_bucket(bucket text, history integer DEFAULT NULL, ttl interval DEFAULT NULL,
                                  max_value_bytes integer DEFAULT NULL, max_bytes bigint DEFAULT NULL,
                                  evict boolean DEFAULT NULL, reset text[] DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_alter_bucket' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.alter_bucket IS
'Changes properties of a bucket, those of create_bucket(); what is left out, or NULL, stays. reset: names of '
'properties that are to have their defaults. Every call that begins after the commit goes by them; what a shorter '
'history has no room for is not read any more, and removed by and by. Waits for another alter, compaction or drop '
'of the bucket, and lets others wait, until the transaction ends. Safe to retry. Errors: 42704 no such bucket, '
'22023 a property out of range or nothing given or an unknown name in reset, 22004, 25006.';

CREATE FUNCTION weir.drop_bucket(bucket text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_drop_bucket' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.drop_bucket IS
'Removes a bucket with all that it holds, and its properties, and returns whether there was one. A later put under '
'the name begins a new bucket, whose revisions lie above all that the old one gave out; who watches from before is '
'told (WR004). Waits for transactions that have written to it, or hold a key of it, to end; who writes to it '
'meanwhile waits for this one. Safe to retry. Errors: 22004, 22023, 25006.';

CREATE FUNCTION weir.list_bucket_properties()
    RETURNS TABLE (property text, type regtype, "default" text, range text, alterable boolean)
    AS 'MODULE_PATHNAME', 'weir_list_bucket_properties' LANGUAGE C STABLE ROWS 8;
COMMENT ON FUNCTION weir.list_bucket_properties IS
'The properties that a bucket can have, each with its type, its default (NULL: there is none), its range, and '
'whether alter_bucket() can change it.';

CREATE FUNCTION weir.list_buckets(pattern text DEFAULT '*', after text DEFAULT NULL, max integer DEFAULT NULL)
    RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'weir_list_buckets' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION weir.list_buckets IS
'The buckets that there are and that the caller may read, in the order of their names byte by byte. pattern: * '
'stands for any run of characters, ? for any one, \ takes the next as it is. after: the last name of the page '
'before, NULL for the first page. max: 1 to 10000, NULL for 1000. Costs a look at each name. Never blocks. Errors: '
'22004 NULL pattern, 22023 blank pattern, max out of range, 22025 pattern that ends with a single \, 54000 pattern '
'too long.';

CREATE FUNCTION weir.bucket_info(bucket text)
    RETURNS TABLE (bucket text, keys bigint, changes bigint, bytes bigint, first_revision weir.position,
                   last_revision weir.position, compacted_upto weir.position, properties jsonb)
    AS 'MODULE_PATHNAME', 'weir_bucket_info' LANGUAGE C STABLE ROWS 1;
COMMENT ON FUNCTION weir.bucket_info IS
'What one bucket holds, the columns of the view buckets; no row for an unknown one. Costs the changes since '
'housekeeping last came by (some hundreds). Never blocks. Errors: 22004, 22023.';

-- Those that a role with some names may read. Behind a barrier: no condition of the caller's sees another.
CREATE VIEW weir.readable_buckets WITH (security_barrier) AS
    SELECT DISTINCT r.name FROM weir.registry r
    WHERE r.kind OPERATOR(pg_catalog.=) 'b' AND NOT weir.has_access() AND weir.has_access(r.name);
COMMENT ON VIEW weir.readable_buckets IS
'Internal. The part of the view buckets for roles that may read some names only.';
COMMENT ON COLUMN weir.readable_buckets.name IS
'The bucket.';

-- As weir.streams.
CREATE VIEW weir.buckets AS
    SELECT n.name AS bucket, i.keys, i.changes, i.bytes, i.first_revision, i.last_revision, i.compacted_upto,
           i.properties
    FROM (SELECT DISTINCT r.name FROM weir.registry r
          WHERE r.kind OPERATOR(pg_catalog.=) 'b' AND weir.has_access()
          UNION ALL
          SELECT r.name FROM weir.readable_buckets r) n
    CROSS JOIN LATERAL weir.bucket_info(n.name) i;
COMMENT ON VIEW weir.buckets IS
'Every bucket that the caller may read, with what it holds: one row of bucket_info() each. For the names alone, by '
'page, list_buckets() is cheaper.';
COMMENT ON COLUMN weir.buckets.bucket IS
'The bucket.';
COMMENT ON COLUMN weir.buckets.keys IS
'Keys that are there; one that has expired counts until its expiry has been written.';
COMMENT ON COLUMN weir.buckets.changes IS
'Settled changes that are kept: of each key as many as the history has room for.';
COMMENT ON COLUMN weir.buckets.bytes IS
'Bytes of key, value and headers of those changes, uncompressed.';
COMMENT ON COLUMN weir.buckets.first_revision IS
'The oldest change that is there, NULL for none.';
COMMENT ON COLUMN weir.buckets.last_revision IS
'The newest settled change, NULL for none.';
COMMENT ON COLUMN weir.buckets.compacted_upto IS
'A cursor below it has missed deletions and has expired. NULL: none has.';
COMMENT ON COLUMN weir.buckets.properties IS
'The properties that were set, by their names; the others are as list_bucket_properties() says.';

-- Writing ------------------------------------------------------------------

CREATE FUNCTION weir.kv_put(bucket text, key text, value jsonb, headers jsonb DEFAULT NULL,
                            ttl interval DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_kv_put' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_put IS
'Puts a value under a key, whatever is there, and returns its revision; the bucket comes into being with its first '
'put. Commits with the caller''s transaction. key: any text up to 512 bytes. value: JSON, not NULL (JSON null is a '
'value). headers: a JSON object. ttl: the key expires so long after this call, NULL: as the bucket has it. Puts of '
'one key do not wait for each other: the one with the greatest revision counts. Waits for a transaction that has '
'changed the key depending on what was there (create, update, delete, purge), that holds it by kv_check(), or that '
'is dropping the bucket. A retry puts once more. Errors: 22004 NULL bucket, key or value, 22023 blank name, bad '
'headers, ttl out of range, 42809 the name is that of another thing, 42939 a name that weir itself writes, 53400 '
'the bucket is full, 54000 key, value or name too large, 25006 read-only transaction or standby.';

CREATE FUNCTION weir.kv_put_text(bucket text, key text, value text, headers jsonb DEFAULT NULL,
                                 ttl interval DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_kv_put_text' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_put_text IS
'As kv_put(), for text: the value is stored as a JSON string.';

CREATE FUNCTION weir.kv_put_bytes(bucket text, key text, value bytea, headers jsonb DEFAULT NULL,
                                  ttl interval DEFAULT NULL) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_kv_put_bytes' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_put_bytes IS
'As kv_put(), for raw bytes, kept as they are; an empty one is a value.';

CREATE FUNCTION weir.kv_put_many(bucket text, keys text[], payloads jsonb[], headers jsonb DEFAULT NULL,
                                 ttl interval DEFAULT NULL, OUT first_revision weir.position,
                                 OUT last_revision weir.position, OUT changes integer)
    AS 'MODULE_PATHNAME', 'weir_kv_put_many' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_put_many IS
'Puts payloads[i] under keys[i] for each i, with consecutive revisions, in order, all or none. Up to '
'weir.max_batch_frames and weir.max_batch_bytes. Otherwise as kv_put(); further errors: 22004 NULL element, 22023 '
'empty or multidimensional array, or arrays that differ in length, 54000 too many keys.';

CREATE FUNCTION weir.kv_put_text_many(bucket text, keys text[], payloads text[], headers jsonb DEFAULT NULL,
                                      ttl interval DEFAULT NULL, OUT first_revision weir.position,
                                      OUT last_revision weir.position, OUT changes integer)
    AS 'MODULE_PATHNAME', 'weir_kv_put_text_many' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_put_text_many IS
'As kv_put_many(), for text: each value is stored as a JSON string.';

CREATE FUNCTION weir.kv_put_bytes_many(bucket text, keys text[], payloads bytea[], headers jsonb DEFAULT NULL,
                                       ttl interval DEFAULT NULL, OUT first_revision weir.position,
                                       OUT last_revision weir.position, OUT changes integer)
    AS 'MODULE_PATHNAME', 'weir_kv_put_bytes_many' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_put_bytes_many IS
'As kv_put_many(), for raw bytes.';

CREATE FUNCTION weir.kv_create(bucket text, key text, value jsonb, headers jsonb DEFAULT NULL,
                               ttl interval DEFAULT NULL, OUT created boolean, OUT revision weir.position)
    AS 'MODULE_PATHNAME', 'weir_kv_create' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_create IS
'Puts a value under a key that is not there, because it never was, was deleted, was purged or has expired, and '
'returns its revision; else created is false, nothing happens, and revision is that of what is there. Decided by '
'what was committed before, in READ COMMITTED too: who creates the same key meanwhile waits for this transaction, '
'as does any other change of the key. In REPEATABLE READ and SERIALIZABLE, 40001 if the key was changed after the '
'transaction''s snapshot. After a retry, created is false where the first attempt worked: its revision is there. '
'Otherwise as kv_put().';

CREATE FUNCTION weir.kv_create_text(bucket text, key text, value text, headers jsonb DEFAULT NULL,
                                    ttl interval DEFAULT NULL, OUT created boolean, OUT revision weir.position)
    AS 'MODULE_PATHNAME', 'weir_kv_create_text' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_create_text IS
'As kv_create(), for text: the value is stored as a JSON string.';

CREATE FUNCTION weir.kv_create_bytes(bucket text, key text, value bytea, headers jsonb DEFAULT NULL,
                                     ttl interval DEFAULT NULL, OUT created boolean, OUT revision weir.position)
    AS 'MODULE_PATHNAME', 'weir_kv_create_bytes' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_create_bytes IS
'As kv_create(), for raw bytes.';

CREATE FUNCTION weir.kv_update(bucket text, key text, value jsonb, expected weir.position,
                               headers jsonb DEFAULT NULL, ttl interval DEFAULT NULL, OUT updated boolean,
                               OUT revision weir.position)
    AS 'MODULE_PATHNAME', 'weir_kv_update' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_update IS
'Compare-and-set: puts a value under a key that is at the revision expected, and returns its new one; else updated '
'is false, nothing happens, and revision is the actual one. A key that is not there is at 0-0, written ''-'': '
'expected so it is created. Waits, and is decided, as kv_create(). Errors as kv_put(), 22004 NULL expected too.';

CREATE FUNCTION weir.kv_update_text(bucket text, key text, value text, expected weir.position,
                                    headers jsonb DEFAULT NULL, ttl interval DEFAULT NULL, OUT updated boolean,
                                    OUT revision weir.position)
    AS 'MODULE_PATHNAME', 'weir_kv_update_text' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_update_text IS
'As kv_update(), for text: the value is stored as a JSON string.';

CREATE FUNCTION weir.kv_update_bytes(bucket text, key text, value bytea, expected weir.position,
                                     headers jsonb DEFAULT NULL, ttl interval DEFAULT NULL, OUT updated boolean,
                                     OUT revision weir.position)
    AS 'MODULE_PATHNAME', 'weir_kv_update_bytes' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_update_bytes IS
'As kv_update(), for raw bytes.';

CREATE FUNCTION weir.kv_delete(bucket text, key text, expected weir.position DEFAULT NULL, OUT deleted boolean,
                               OUT revision weir.position)
    AS 'MODULE_PATHNAME', 'weir_kv_delete' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_delete IS
'Deletes a key, and returns the revision of the deletion, which those who watch are given. expected: only at that '
'revision; NULL: at any. Else deleted is false, and revision is the actual one, 0-0 where the key is not there. '
'What the key was stays within the bucket''s history; a key that is not written again leaves nothing after a day. '
'Waits, and is decided, as kv_create(). Errors: 22004 NULL bucket or key, 22023, 54000, 25006.';

CREATE FUNCTION weir.kv_purge(bucket text, key text, expected weir.position DEFAULT NULL, OUT purged boolean,
                              OUT revision weir.position)
    AS 'MODULE_PATHNAME', 'weir_kv_purge' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_purge IS
'As kv_delete(), with the key''s history: nothing that it was can be read any more, and its bytes are soon free. '
'Without expected it also takes the history of a key that is not there.';

CREATE FUNCTION weir.kv_check(bucket text, key text, expected weir.position, OUT holds boolean,
                              OUT revision weir.position)
    AS 'MODULE_PATHNAME', 'weir_kv_check' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_check IS
'Whether a key is at the revision expected (''-'': not there), and which it is at; it stays there until the '
'transaction ends: who would change it waits. So a transaction may depend on several keys, of several buckets. '
'Checks of one key do not wait for each other. A key may still expire meanwhile. Waits for transactions that are '
'changing the key. Errors: 22004, 22023, 40001 as kv_create(), 54000, 25006.';

CREATE FUNCTION weir.kv_compact(bucket text, before weir.position) RETURNS bigint
    AS 'MODULE_PATHNAME', 'weir_kv_compact' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.kv_compact IS
'Removes what was superseded or deleted before a revision, as far as it is settled, and returns how many changes '
'that were. States as of before it, and cursors below it, have expired then (WR004). What is there stays. Waits for '
'an alter, another compaction or a drop of the bucket, and lets them wait, until the transaction ends; puts go by. '
'Safe to retry. Errors: 22004, 22023, 25006.';

-- Reading ------------------------------------------------------------------

CREATE FUNCTION weir.kv_get(bucket text, key text, revision weir.position DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'weir_kv_get' LANGUAGE C STABLE;
COMMENT ON FUNCTION weir.kv_get IS
'The value of a key; NULL where it is not there: it never was, was deleted, purged or has expired, by the clock, '
'whether or not that has been written yet. By the statement''s snapshot, so what this transaction wrote counts. '
'revision: the state as of then, within what is kept. Costs one descent of an index. Never blocks. Errors: WR004 as '
'of then is not kept any more, 42804 the value is bytes, 22004 NULL bucket or key, 22023, 54000.';

CREATE FUNCTION weir.kv_get_text(bucket text, key text, revision weir.position DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'weir_kv_get_text' LANGUAGE C STABLE;
COMMENT ON FUNCTION weir.kv_get_text IS
'As kv_get(), for text: a JSON string as what it says, other JSON as it is written.';

CREATE FUNCTION weir.kv_get_bytes(bucket text, key text, revision weir.position DEFAULT NULL) RETURNS bytea
    AS 'MODULE_PATHNAME', 'weir_kv_get_bytes' LANGUAGE C STABLE;
COMMENT ON FUNCTION weir.kv_get_bytes IS
'As kv_get(), for raw bytes. Errors: 42804 the value is not bytes.';

CREATE FUNCTION weir.kv_entry(bucket text, key text, revision weir.position DEFAULT NULL) RETURNS SETOF weir.kv_change
    AS 'MODULE_PATHNAME', 'weir_kv_entry' LANGUAGE C STABLE ROWS 1;
COMMENT ON FUNCTION weir.kv_entry IS
'As kv_get(), with the key''s revision, headers and expiry: the put that says what it is, or no row.';

CREATE FUNCTION weir.kv_get_many(bucket text, keys text[], revision weir.position DEFAULT NULL)
    RETURNS SETOF weir.kv_change
    AS 'MODULE_PATHNAME', 'weir_kv_get_many' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION weir.kv_get_many IS
'The entries of several keys, as kv_entry(), in the order of keys, up to 10000; no row for one that is not there. '
'By one snapshot. Further errors: 22004 NULL element, 22023 multidimensional array.';

CREATE FUNCTION weir.kv_keys(bucket text, prefix text DEFAULT '', after text DEFAULT NULL, max integer DEFAULT NULL,
                             revision weir.position DEFAULT NULL) RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'weir_kv_keys' LANGUAGE C STABLE ROWS 1000;
COMMENT ON FUNCTION weir.kv_keys IS
'The keys that are there, as kv_scan().';

CREATE FUNCTION weir.kv_scan(bucket text, prefix text DEFAULT '', after text DEFAULT NULL, max integer DEFAULT NULL,
                             revision weir.position DEFAULT NULL) RETURNS SETOF weir.kv_change
    AS 'MODULE_PATHNAME', 'weir_kv_scan' LANGUAGE C STABLE ROWS 1000;
COMMENT ON FUNCTION weir.kv_scan IS
'The entries whose keys begin with prefix, in the order of the keys, byte by byte, by one snapshot; the pages of one '
'state have one revision. after: the last key of the page before. max: 1 to 10000; NULL: 1000, and a notice where '
'there is more. revision: the state as of then. Costs what it returns, however much has been superseded. Never '
'blocks. Errors: as kv_get(), 22023 max out of range.';

CREATE FUNCTION weir.kv_history(bucket text, key text, after weir.position DEFAULT NULL,
                                upto weir.position DEFAULT NULL, max integer DEFAULT NULL)
    RETURNS SETOF weir.kv_change
    AS 'MODULE_PATHNAME', 'weir_kv_history' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION weir.kv_history IS
'The changes of a key, the newest first: as many as the bucket''s property history says, back to a purge, with '
'after < revision <= upto. max: 1 to 10000; NULL: 1000, and a notice where there is more. Never blocks. Errors: '
'22004 NULL bucket or key, 22023, 54000.';

CREATE FUNCTION weir.kv_watch(bucket text, prefixes text[] DEFAULT NULL, after weir.position DEFAULT NULL,
                              began weir.position DEFAULT NULL, max integer DEFAULT NULL,
                              bookmark boolean DEFAULT false) RETURNS SETOF weir.kv_change
    AS 'MODULE_PATHNAME', 'weir_kv_watch' LANGUAGE C STABLE ROWS 1000;
COMMENT ON FUNCTION weir.kv_watch IS
'The changes of a bucket behind a cursor, in the order of their revisions, as far as they are settled: whatever is '
'delivered, nothing before it is still to come, and what one transaction changed comes together. op: put, delete, '
'purge, expire. Without a cursor: what is there, each key once, in the order of revisions, and the last revision is '
'the cursor to go on from. Where that takes more than one call, began says up to where it is still what is there '
'that is wanted: kv_head() from before the first call, given with each until the cursor has passed it. prefixes: '
'keys that begin with any of them, byte by byte, each change once; NULL: all keys; an empty array: none. A change '
'that was superseded beyond the bucket''s history before it was read may be left out, never the newest of a key. '
'max: 1 to 10000; NULL: 1000, and a notice where there is more. bookmark: the last row has op bookmark, no key, and '
'as its revision that up to which everything was looked at, whether it was wanted or not. Wait for more with '
'weir.wait(), or LISTEN on weir.channel(), as with a stream. Never blocks. Errors: WR004 deletions behind the cursor '
'are not kept any more: begin anew, and take what is not delivered for deleted; WR003 the cursor is ahead of the '
'bucket; 22004, 22023, 54000 more than 10000 prefixes.';

CREATE FUNCTION weir.kv_head(bucket text) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_kv_head' LANGUAGE C STABLE;
COMMENT ON FUNCTION weir.kv_head IS
'The newest settled revision, 0-0 where there is none: what "from now on" means to kv_watch(). Never blocks. Errors: '
'22004, 22023.';

INSERT INTO weir.privilege (level, name) VALUES
    ('read', 'list_buckets'), ('read', 'list_bucket_properties'), ('read', 'bucket_info'), ('read', 'buckets'),
    ('read', 'readable_buckets'), ('read', 'kv_get'), ('read', 'kv_get_text'), ('read', 'kv_get_bytes'),
    ('read', 'kv_entry'), ('read', 'kv_get_many'), ('read', 'kv_keys'), ('read', 'kv_scan'), ('read', 'kv_history'),
    ('read', 'kv_watch'), ('read', 'kv_head'),
    ('write', 'create_bucket'), ('write', 'kv_put'), ('write', 'kv_put_text'), ('write', 'kv_put_bytes'),
    ('write', 'kv_put_many'), ('write', 'kv_put_text_many'), ('write', 'kv_put_bytes_many'), ('write', 'kv_create'),
    ('write', 'kv_create_text'), ('write', 'kv_create_bytes'), ('write', 'kv_update'), ('write', 'kv_update_text'),
    ('write', 'kv_update_bytes'), ('write', 'kv_delete'), ('write', 'kv_purge'), ('write', 'kv_check'),
    ('admin', 'alter_bucket'), ('admin', 'drop_bucket'), ('admin', 'kv_compact');

COMMENT ON TABLE weir.registry IS
'Internal. Names, ids and kinds of all logs; s: stream, see the view weir.streams; b: bucket, '
'see weir.buckets.';

CREATE TRIGGER skip_replicated BEFORE INSERT OR UPDATE OR DELETE ON weir.bucket_property
    FOR EACH ROW EXECUTE FUNCTION weir.skip_replicated();
ALTER TABLE weir.bucket_property ENABLE REPLICA TRIGGER skip_replicated;
CREATE TRIGGER refuse_restored BEFORE INSERT ON weir.bucket_property FOR EACH ROW EXECUTE FUNCTION weir.refuse_restored();
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
