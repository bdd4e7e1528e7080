-- SPDX-License-Identifier: PostgreSQL
-- Claim: what is written comes in the same forms and the same order everywhere, what holds for
-- all frames of a batch can be said of each, and readers of one stream and of several have the
-- same options.
CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS
$$ BEGIN EXECUTE query; RETURN 'accepted'; EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END $$;

-- Events, in all forms, of one transaction: in the order of their emits, JSON and bytes alike.
BEGIN;
SELECT weir.emit('sf.e', '{"n": 1}', 'json', '{"h": 1}');
SELECT weir.emit_text('sf.e', 'two', 'text');
SELECT weir.emit_bytes('sf.e', '\x00ff', 'bytes', headers => '{"h": 3}');
SELECT weir.emit('sf.e', 'null');
SELECT weir.emit_batch('sf.e', ARRAY['5', '"six"']::jsonb[], 'batch', '{"h": 5}');
SELECT weir.emit_text_batch('sf.e', ARRAY['7', '8'], types => ARRAY['seven', NULL], type => 'other');
SELECT weir.emit_bytes_batch('sf.e', ARRAY['\x09', '\x10']::bytea[], headers_each => ARRAY[NULL, '{"h": 10}']::jsonb[]);
SELECT count(*) AS before_the_commit FROM weir.read('sf.e');
COMMIT;
SELECT mode, type, payload, bytes, headers FROM weir.read('sf.e');

-- A batch of events is all or none, at the call and in a savepoint.
BEGIN;
SELECT weir.emit('sf.e', '"kept"', 'kept');
SAVEPOINT s;
SELECT weir.emit_batch('sf.e', '{1,2,NULL}'::jsonb[]);
ROLLBACK TO s;
SET LOCAL weir.max_emit_bytes = '64kB';
DO $$ BEGIN PERFORM weir.emit_text_batch('sf.e', array_fill(repeat('x', 10000), ARRAY[10]));
EXCEPTION WHEN program_limit_exceeded THEN RAISE NOTICE 'too many'; END $$;
COMMIT;
SELECT type, count(*) FROM weir.read('sf.e') GROUP BY type HAVING type = 'kept' OR type IS NULL ORDER BY type;

-- Limits and misuse, as of an append.
SELECT weir.emit_batch('sf.e', '{}');
SELECT weir.emit_batch('sf.e', '{{1},{2}}');
SELECT weir.emit_batch('sf.e', array_fill('1'::jsonb, ARRAY[10001]));
SELECT weir.emit_batch('sf.e', '{1,2}', types => '{a}');
SELECT weir.emit_batch('sf.e', '{1,2}', types => '{a,""}');
SELECT weir.emit_batch('sf.e', '{1,2}', headers_each => ARRAY['{}', '[]']::jsonb[]);
SELECT weir.emit_text('sf.e', NULL), 'not reached';
SELECT weir.emit_bytes('leases', '\x00');

-- Of each frame of an append; what says nothing has what was said for all.
SELECT frames FROM weir.append_batch('sf.a', '{1,2,3}', 'all', '{"h": 0}', types => '{one,NULL,three}', headers_each => ARRAY[NULL, '{"h": 2}', NULL]::jsonb[]);
SELECT frames FROM weir.append_text_batch('sf.a', ARRAY['a', 'b'], types => '{a,b}');
SELECT frames FROM weir.append_bytes_batch('sf.a', ARRAY['\x01', '\x02']::bytea[], headers_each => '{NULL,NULL}');
SELECT frames FROM weir.append_best_effort_text_batch('sf.a', ARRAY['x', 'y'], types => '{x,y}', ttl => '1 hour');
SELECT mode, type, payload, bytes, headers FROM weir.read('sf.a');
SELECT weir.append_batch('sf.a', '{1,2}', types => '{a,b,c}');
SELECT weir.append_batch('sf.a', '{1}', types => '{{a}}');
SELECT pg_temp.state_of(format('SELECT weir.append_batch(''sf.a'', ''{1,2}'', %s)', bad)) AS state, bad
FROM (VALUES ('types => ''{}'''), ('types => ''{a,""}'''), ('types => ARRAY[''a'', repeat(''t'', 513)]'), ('headers_each => ''{1,2}'''),
             ('headers_each => ''{NULL}'''), ('types => NULL, headers_each => NULL'), ('types => ''{NULL,NULL}''')) v(bad);
-- They are part of what a key stands for.
SELECT pg_temp.state_of('SELECT weir.append_batch(''sf.k'', ''{1,2}'', types => ''{a,b}'', idempotency_key => ''k'')') AS first,
       pg_temp.state_of('SELECT weir.append_batch(''sf.k'', ''{1,2}'', types => ''{a,b}'', idempotency_key => ''k'')') AS again,
       pg_temp.state_of('SELECT weir.append_batch(''sf.k'', ''{1,2}'', types => ''{b,a}'', idempotency_key => ''k'')') AS other_types,
       pg_temp.state_of('SELECT weir.append_batch(''sf.k'', ''{1,2}'', headers_each => ''{NULL,NULL}'', types => ''{a,b}'', idempotency_key => ''k'')') AS other_headers,
       pg_temp.state_of('SELECT weir.append_batch(''sf.k'', ''{1,2}'', idempotency_key => ''k'')') AS none;

-- The type of a value never decides what is called: an untyped array of strings is not taken for JSON.
SELECT frames FROM weir.append_batch('sf.u', '{1,2}');
SELECT weir.append_batch('sf.u', ARRAY['{"a": 1}']);
PREPARE untyped AS SELECT frames FROM weir.append_batch($1, $2);
EXECUTE untyped ('sf.u', '{"{\"a\": 1}"}');
SELECT payload FROM weir.read('sf.u');

-- read_many() as read().
SELECT count(weir.append('sf.m1', to_jsonb(i))), count(weir.append('sf.m2', to_jsonb(i))) FROM generate_series(1, 5) i;
CREATE TEMP TABLE ids AS SELECT stream, array_agg(id ORDER BY id) AS ids FROM weir.read_many('{sf.m1,sf.m2}') GROUP BY stream;
SELECT stream, payload FROM weir.read_many('{sf.m1,sf.m2}', reverse => true, max => 2);
SELECT stream, payload FROM weir.read_many('{sf.m1,sf.m2}', upto => ARRAY[(SELECT ids[2] FROM ids WHERE stream = 'sf.m1'), (SELECT ids[1] FROM ids WHERE stream = 'sf.m2')]);
SELECT stream, payload FROM weir.read_many('{sf.m1,sf.m2}', after => ARRAY[(SELECT ids[4] FROM ids WHERE stream = 'sf.m1'), '-'], upto => ARRAY[NULL, '-']::weir.position[]);
SELECT count(*) FROM weir.read_many('{sf.m1,sf.m2}', since => now() + interval '1 hour');
SELECT count(*) FROM weir.read_many('{sf.m1,sf.m2}', since => now() - interval '1 hour');
SELECT weir.read_many('{sf.m1,sf.m2}', upto => '{-}'::weir.position[]);
SELECT weir.read_many('{sf.m1}', reverse => true, bookmark => true);

-- Without a max a read says that there is more, with one it does not.
SELECT count(weir.append('sf.n', '1')) FROM generate_series(1, 1000);
SELECT count(*) FROM weir.read('sf.n');
SELECT count(weir.append('sf.n', '2'));
SELECT count(*) FROM weir.read('sf.n');
SELECT count(*) FROM weir.read('sf.n', reverse => true);
SELECT count(*) FROM weir.read('sf.n', max => 1000);
SELECT count(*) FROM weir.read('sf.n', bookmark => true);
SELECT count(*) FROM weir.read_many('{sf.n,sf.m1}');

-- A time on a stream that is idle is no position that was lost.
SELECT count(weir.append_patch('sf.d', jsonb_build_object('n', i))) FROM generate_series(1, 3) i;
SELECT pg_sleep(0.01);
SELECT document, version FROM weir.summary_at('sf.d', at => now());
SELECT document, version FROM weir.summary_at('sf.d', upto => (SELECT id FROM weir.read('sf.d', max => 1)));
SELECT count(*) FROM weir.summary_at('sf.d', at => '-infinity');
SELECT count(*) FROM weir.summary_at('sf.none', at => now());
SELECT weir.summary_at('sf.d');
SELECT weir.summary_at('sf.d', '-', now());
SELECT weir.summary_at('sf.d', at => now() + interval '1 minute');
SELECT weir.summary_at('sf.d', at => 'infinity');

SELECT weir.drop_streams('sf.*') AS dropped;
