-- SPDX-License-Identifier: PostgreSQL
-- Claim: what weir writes itself is true: nobody, not even a superuser, appends to a reserved name, closes or creates
-- it, in whatever way; it is read, trimmed, kept and dropped like any other stream, and names beside it are anybody's.
CREATE FUNCTION pg_temp.state_of(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT * FROM ' || query;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END
$$;
SELECT epoch FROM weir.lease_acquire('reserved.a', 'ann', headers => '{"namespace": "reserved"}');

-- Every function whose first argument is the name of a stream, with what else it needs.
CREATE TEMP TABLE attempt AS
SELECT p.oid::regprocedure AS routine, v.level,
       format('weir.%I(%%L%s)', p.proname, (SELECT string_agg(', ' || CASE
           WHEN a.n > p.pronargs - p.pronargdefaults THEN NULL
           WHEN a.type::regtype::text LIKE '%[]' THEN format('ARRAY[''1'']::%s', a.type::regtype)
           WHEN a.type = 'jsonb'::regtype THEN '''{}''::jsonb' ELSE format('''1''::%s', a.type::regtype) END, ''
               ORDER BY a.n)
           FROM unnest(p.proargtypes) WITH ORDINALITY a(type, n) WHERE a.n > 1)) AS call
FROM pg_proc p JOIN weir.privilege v ON v.name = p.proname
WHERE p.pronamespace = 'weir'::regnamespace AND p.proargnames[1] IN ('stream', 'stream') AND p.prokind = 'f';
SELECT a.level, split_part(a.routine::text, '(', 1) AS function, count(*) AS forms, n.name,
    pg_temp.state_of(format(a.call, n.name)) AS state
FROM attempt a CROSS JOIN (VALUES ('leases'), ('leases/reserved'), ('weir'), ('weir/a')) n(name)
WHERE a.level = 'write' GROUP BY 1, 2, 4, 5 ORDER BY 2, 4;
-- What is not of it is free.
SELECT n.name, pg_temp.state_of(format('weir.append(%L, ''1'')', n.name)) AS state
FROM (VALUES ('lease'), ('leasess'), ('leases.a'), ('Leases'), ('weird'), ('a/leases'), (' leases'),
    ('weir.a')) n(name);
SELECT weir.append('leases', '1');
SELECT weir.emit('weir/deeper/still', '{}', 'acquired');

-- By a trigger, whoever changes the table.
CREATE TABLE regress_reserved (id integer PRIMARY KEY);
CREATE TRIGGER forge AFTER INSERT ON regress_reserved FOR EACH ROW EXECUTE FUNCTION weir.outbox('leases/reserved');
INSERT INTO regress_reserved VALUES (1);
DROP TABLE regress_reserved;

-- It is read, followed, kept and removed like any other.
SELECT type, payload->'owner' AS owner FROM weir.read('leases/reserved');
SELECT stream, frames, closed FROM weir.streams WHERE stream LIKE 'leases/reserved%';
SELECT weir.subscribe('reserved.s', 'leases/*', '-'), (SELECT count(*) FROM weir.fetch('reserved.s')
    WHERE stream = 'leases/reserved') AS fetched;
SELECT weir.unsubscribe('reserved.s');
SELECT weir.alter_stream('leases/reserved', max_frames => 1);
SELECT weir.lease_renew('reserved.a', 'ann', 1) IS NOT NULL AS renewed;
SELECT weir.retain('leases/reserved') >= 0 AS retained, weir.trim('leases/reserved', keep => 0) >= 0 AS trimmed;
SELECT weir.alter_stream('leases/reserved', reset => '{max_age,max_frames,hold_age,hold_frames}');
SELECT weir.lease_release('reserved.a', 'ann', 1), weir.drop_stream('leases/reserved');
SELECT weir.drop_stream(stream) FROM weir.streams WHERE stream IN ('lease', 'leasess', 'leases.a', 'Leases', 'weird',
    'a/leases', ' leases', 'weir.a') ORDER BY stream;
