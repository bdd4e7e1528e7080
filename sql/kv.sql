-- SPDX-License-Identifier: PostgreSQL
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
