-- SPDX-License-Identifier: PostgreSQL
-- Triggers for tables of one's own: positions, summaries and lengths as streams have
-- them. weir.outbox() is in outbox.sql, weir.ring() in doorbell.sql.

CREATE FUNCTION weir.mint() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_mint' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.mint IS
'Trigger function: fills the position column of each inserted row, going up for each key and never back, whatever '
'the clock does. BEFORE INSERT FOR EACH ROW. Arguments: column=c (of type weir.position or bigint, to be left '
'NULL by the insert), key=a,b (default: one order for the table), order=commit or mint. With order=commit, the '
'default, the key is locked until the transaction ends, so that rows of a key become visible in the order of '
'their positions and a reader that goes on from the last one it saw misses none; transactions that write one key '
'take turns; one with more keys than max_locks_per_transaction locks all of the table that others do not have. '
'With order=mint they do not, and such a reader may miss rows. Needs a btree index on the key''s columns and then '
'the position column. Needs no privilege on weir. Errors: 39P01 not fired as it must be, no column, no index, '
'428C9 a position given by the insert, 22023 bad argument, 42703 unknown column.';

CREATE FUNCTION weir.merge_patch_into() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_merge_patch_into' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.merge_patch_into IS
'Trigger function: applies the RFC 7396 merge patch in each inserted row to a document in another table. AFTER '
'INSERT FOR EACH ROW. Arguments: the table of documents (without a schema: that of the trigger''s table), then '
'key=a,b (columns of both tables, of the same types, with a unique index on them in the table of documents), and '
'any of patch=c (jsonb, default patch; NULL changes nothing), document=c (jsonb, default document), version=c '
'(bigint: 1, 2, 3 and so on), null_sentinel=s (a string that sets JSON null). Locks the document''s row until the '
'transaction ends. Its statements run as whoever inserts, who needs SELECT, INSERT and UPDATE on the table of '
'documents, and no privilege on weir. Errors: 39P01 not fired as it must be, argument missing, 22023 bad '
'argument, or a patch that is not an object, 54001 deeper than weir.max_patch_depth, 22004 NULL in a key, 42P01 '
'unknown table, 42703 unknown column, 42804 column of another type, 42P10 no unique index on the key.';

CREATE FUNCTION weir.trim_to() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_trim_to' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.trim_to IS
'Trigger function: deletes the oldest rows of each key. AFTER INSERT FOR EACH ROW. Arguments: order=c '
'(weir.position, timestamptz, bigint or integer), key=a,b (default: the whole table), and either maxlen=n, the '
'newest rows to keep, or ttl_ms=t with maxlen_floor=n (64) and maxlen_ceiling=n (16384): keep what is younger '
'than t, but at least and at most so many; needs weir.position or timestamptz. only=column=value: rows with '
'another value neither count nor go. run=n: an insert in so many trims (default: a quarter of the least that '
'stays), so there are up to so many more rows for each session that inserts. Wants an index on the key''s columns '
'and then the order column. Its statements run as whoever inserts, who needs SELECT and DELETE, and no privilege '
'on weir. Errors: 39P01 not fired as it must be, argument missing, 22023 bad argument, 42703 unknown column.';

INSERT INTO weir.privilege (level, name) VALUES ('write', 'mint'), ('write', 'merge_patch_into'), ('write', 'trim_to');
