-- SPDX-License-Identifier: PostgreSQL
-- Claim: kv_watch() delivers what is there, then every change behind the cursor, in the order of revisions: the union
-- of its prefixes, each change once; a cursor that has missed a deletion is told so, whatever it watches, and no other
-- is. Of the original's vectors: 16 to 22 (all, prefix, prefixes, from a cursor, no gap between a scan and a watch),
-- and of resync: a key deleted and purged before the cursor came back is not missed.
\pset null '(null)'
\set VERBOSITY sqlstate
SELECT weir.kv_put('kvw', 'node.a', '1') AS r1 \gset
SELECT weir.kv_put('kvw', 'node.b', '2') AS r2 \gset
SELECT weir.kv_put('kvw', 'other.x', '3') AS r3 \gset
SELECT weir.kv_put('kvw', 'node.a', '4') AS r4 \gset
SELECT revision AS r5 FROM weir.kv_delete('kvw', 'node.b') \gset
-- Without a cursor: each key once, where its newest change is. With one: every change, in order.
SELECT key, op, value FROM weir.kv_watch('kvw');
SELECT key, op, value FROM weir.kv_watch('kvw', after => '-');
SELECT key, op, value, revision = :'r5' AS last FROM weir.kv_watch('kvw', after => :'r3');
SELECT count(*) FROM weir.kv_watch('kvw', after => :'r5');
-- Prefixes: byte by byte, their union, each change once, none.
SELECT key, op FROM weir.kv_watch('kvw', '{node.}', after => '-');
SELECT key, op FROM weir.kv_watch('kvw', '{node.,no,node.a,other.x}', after => '-');
SELECT key, op FROM weir.kv_watch('kvw', '{no}', after => :'r1');
SELECT count(*) FROM weir.kv_watch('kvw', '{}', after => '-');
SELECT count(*) FROM weir.kv_watch('kvw', '{""}', after => '-');
SELECT count(*) FROM weir.kv_watch('kvw', '{zzz}');
-- Bookmarks: how far everything was looked at.
SELECT key, op, revision = :'r5' AS at_the_end FROM weir.kv_watch('kvw', '{other}', after => :'r3', bookmark => true);
SELECT op, revision = :'r2' AS at_the_last FROM weir.kv_watch('kvw', after => '-', max => 2, bookmark => true);
SELECT op, revision = :'r5' FROM weir.kv_watch('kvw', '{}', bookmark => true);
SELECT op, revision FROM weir.kv_watch('kvw.unknown', bookmark => true);
-- What is there, by pages, with changes coming between.
SELECT weir.kv_head('kvw') AS began, weir.kv_head('kvw') = :'r5' AS is_the_newest, weir.kv_head('kvw.unknown') \gset
SELECT revision AS page FROM weir.kv_watch('kvw', max => 1) \gset
SELECT weir.kv_put('kvw', 'node.c', '6') IS NOT NULL AS put;
SELECT deleted FROM weir.kv_delete('kvw', 'other.x');
SELECT key, op FROM weir.kv_watch('kvw', after => :'page', began => :'began');
-- No gap between a scan and a watch from its revision.
SELECT weir.kv_put('kvw', 'gap.1', '1') IS NOT NULL AS put;
SELECT weir.kv_head('kvw') AS base \gset
SELECT key FROM weir.kv_scan('kvw', 'gap.', revision => :'base');
SELECT weir.kv_put('kvw', 'gap.2', '2') IS NOT NULL AS put;
SELECT key FROM weir.kv_watch('kvw', '{gap.}', after => :'base');

-- What history has no room for may be left out, the newest not: a cursor from before has not expired.
SELECT count(weir.kv_put('kvw', 'hot', to_jsonb(i))) FROM generate_series(1, 6) i;
SELECT failures FROM weir.housekeep('buckets');
SELECT key, op, value FROM weir.kv_watch('kvw', '{hot}', after => :'base');
-- A compaction takes deletions, and with them the cursors from before.
SELECT weir.kv_head('kvw') AS head \gset
SELECT weir.kv_compact('kvw', :'head');
SELECT count(*) FROM weir.kv_watch('kvw', after => :'r4');
SELECT count(*) FROM weir.kv_watch('kvw', '{hot}', after => :'r4');
SELECT key, op FROM weir.kv_watch('kvw', after => :'head');
SELECT key FROM weir.kv_watch('kvw');
-- One that began after that, and is in the middle, has missed nothing.
SELECT key FROM weir.kv_watch('kvw', after => :'r4', began => :'head');
-- Ahead of the bucket, or of one that is not there.
SELECT count(*) FROM weir.kv_watch('kvw', after => '8000000000000-0');
SELECT count(*) FROM weir.kv_watch('kvw.unknown', after => '8000000000000-0');
-- Dropped under it: what was there is gone.
SELECT weir.drop_bucket('kvw');
SELECT count(*) FROM weir.kv_watch('kvw');
SELECT count(*) FROM weir.kv_watch('kvw', after => :'head');
SELECT weir.kv_put('kvw', 'new', '1') > :'head' AS above;
SELECT count(*) FROM weir.kv_watch('kvw', after => :'head');
SELECT key FROM weir.kv_watch('kvw');

-- weir.wait() looks at buckets, too.
CALL weir.wait('kvw', after => '-', timeout => '1 minute');
CALL weir.wait('kvw', after => weir.kv_head('kvw'), timeout => '0');
CALL weir.wait('kvw', after => :'head', timeout => '1 minute');
SELECT weir.drop_bucket('kvw');
CALL weir.wait('kvw', after => :'head', timeout => '1 minute');
CALL weir.wait('kvw.unknown', timeout => '0');
SELECT weir.channel('kvw') = weir.channel('kvw') AS has_a_channel;
