-- SPDX-License-Identifier: PostgreSQL
-- Claim: a stream with a lifetime ends by the clock, whether or not the housekeeper has come to it: every call finds
-- it gone, and whatever writes to it begins a new stream with defaults, above every position of the old one. Each
-- append moves the end of a ttl, and the housekeeper removes what has ended, a little at a time, and nothing else.
SET client_min_messages = warning;
SELECT coalesce(sum(failures), 0) AS failures FROM weir.housekeep(); -- what is left over is done
CREATE FUNCTION pg_temp.say(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    EXECUTE call INTO said;
    RETURN coalesce(said, 'nothing');
EXCEPTION WHEN others THEN
    RETURN sqlstate;
END
$$;

-- Waits until a stream has ended by the clock.
CREATE FUNCTION pg_temp.ended(stream text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. 10000 LOOP
        IF NOT EXISTS (SELECT FROM weir.stream_info(stream)) THEN
            RETURN true;
        END IF;
        PERFORM pg_sleep(0.002);
    END LOOP;
    RETURN false;
END
$$;

-- What finds it gone, with the row still there.
SELECT weir.create_stream('life.a', ttl => '1 hour'), weir.create_stream('life.fixed', expires_at => now() + interval '1 hour'),
       weir.create_stream('life.long', ttl => '1 day', expires_at => now() + interval '2 days'),
       weir.create_stream('life.both', ttl => '1 day', expires_at => now() + interval '1 hour');
SELECT count(weir.append(stream, '"old"', idempotency_key => 'k')), count(weir.append_patch(stream, '{"old": 1}')) AS patched
FROM unnest('{life.a,life.fixed,life.both}'::text[]) stream;
SELECT id AS old FROM weir.read('life.a') LIMIT 1 \gset
SELECT stream, frames, properties ? 'ttl' AS ttl, properties ? 'expires_at' AS expires_at FROM weir.streams WHERE stream LIKE 'life.%' ORDER BY stream;
SELECT weir.alter_stream('life.a', ttl => '1 ms'), weir.alter_stream('life.fixed', expires_at => now() + interval '1 ms'),
       weir.alter_stream('life.both', expires_at => now() + interval '1 ms');
SELECT stream, pg_temp.ended(stream) FROM unnest('{life.a,life.fixed,life.both}'::text[]) stream;
SELECT count(*) AS physically FROM weir.frame_log f JOIN weir.registry n ON n.id = f.stream_id WHERE n.name LIKE 'life.%' AND f.payload IS NOT NULL;
SELECT v.call, pg_temp.say(v.call) FROM (VALUES
    ($$SELECT count(*) FROM weir.streams WHERE stream LIKE 'life.%'$$),
    ($$SELECT count(*) FROM weir.list_streams('life.*')$$),
    ($$SELECT count(*) FROM weir.read('life.a')$$),
    ($$SELECT count(*) FROM weir.read_many('{life.a,life.fixed}')$$),
    ($$SELECT count(*) FROM weir.summary('life.both')$$),
    ($$SELECT count(*) FROM weir.stream_info('life.fixed')$$),
    ($$SELECT weir.head('life.fixed')$$),
    ($$SELECT weir.trim('life.a', keep => 0)$$),
    ($$SELECT weir.alter_stream('life.a', reset => '{ttl}')$$)) v(call);
SELECT weir.drop_stream('life.fixed') AS was_there;
SELECT count(*) AS left_behind FROM weir.frame_log f JOIN weir.registry n ON n.id = f.stream_id WHERE n.name = 'life.fixed' AND f.payload IS NOT NULL;

-- Who waits behind what it has read is told.
CALL weir.wait('life.a', :'old', '0');

-- What is written next begins a new stream, with nothing of the old one: neither frames nor document, keys or lifetime.
SELECT weir.append('life.a', '"new"', idempotency_key => 'k') > :'old' AS above;
SELECT payload FROM weir.read('life.a');
SELECT count(*) AS patched FROM weir.summary('life.a');
SELECT frames, lifetime_frames, properties FROM weir.stream_info('life.a');
SELECT weir.append_patch('life.both', '{"new": 1}') IS NOT NULL AS patched;
SELECT document, version FROM weir.summary('life.both');
-- So does an event, at its commit, a best-effort frame, a close, and a create.
SELECT weir.create_stream(stream, expires_at => now()) FROM unnest('{life.e,life.live,life.c,life.again}'::text[]) stream;
SELECT count(*) AS none FROM weir.list_streams('life.*') l WHERE l.stream IN ('life.e', 'life.live', 'life.c', 'life.again');
BEGIN;
SELECT weir.emit('life.e', payload => '1', type => 'n');
COMMIT;
SELECT weir.append_best_effort('life.live', '1') IS NOT NULL AS appended, weir.close('life.c', 'done') IS NOT NULL AS closed,
       weir.create_stream('life.again', max_frames => 3);
SELECT stream, frames, closed, properties FROM weir.streams
WHERE stream IN ('life.e', 'life.live', 'life.c', 'life.again') ORDER BY stream;
-- Rolled back, the old one is over still.
SELECT weir.create_stream('life.undone', ttl => '1 hour'), weir.append('life.undone', '"old"') IS NOT NULL AS appended;
SELECT weir.alter_stream('life.undone', ttl => '1 ms');
SELECT pg_temp.ended('life.undone');
BEGIN;
SELECT weir.append('life.undone', '"new"') IS NOT NULL AS appended;
SELECT payload, properties FROM weir.read('life.undone'), weir.stream_info('life.undone');
ROLLBACK;
SELECT count(*) FROM weir.read('life.undone');
BEGIN;
SELECT weir.append_best_effort('life.undone', '"new"') IS NOT NULL AS appended;
ROLLBACK;
SELECT count(*) FROM weir.read('life.undone');
SELECT weir.append('life.undone', '"newer"') IS NOT NULL AS appended;
SELECT payload, properties FROM weir.read('life.undone'), weir.stream_info('life.undone');

-- Each append moves the end of a ttl, and so does whoever sets it; nothing moves a fixed one but alter_stream().
-- Appended to for twice its ttl; anew where this session itself stood still for too long.
CREATE PROCEDURE pg_temp.slide(INOUT appended integer, INOUT there integer) LANGUAGE plpgsql AS $$
DECLARE
    begun timestamptz;
    last timestamptz;
    gap interval;
BEGIN
    FOR attempt IN 1 .. 20 LOOP
        PERFORM weir.drop_stream('life.slide');
        begun := clock_timestamp();
        last := begun;
        gap := '0';
        appended := 0;
        PERFORM weir.create_stream('life.slide', ttl => '500 ms');
        COMMIT;
        WHILE last < begun + interval '1 second' LOOP
            PERFORM weir.append('life.slide', '1');
            COMMIT;
            appended := appended + 1;
            gap := greatest(gap, clock_timestamp() - last);
            last := clock_timestamp();
            PERFORM pg_sleep(0.1);
        END LOOP;
        there := (SELECT count(*) FROM weir.read('life.slide'));
        PERFORM weir.alter_stream('life.slide', ttl => '1 hour') WHERE there > 0;
        COMMIT;
        gap := greatest(gap, clock_timestamp() - last);
        EXIT WHEN gap < interval '400 ms';
    END LOOP;
END
$$;
CALL pg_temp.slide(NULL, NULL) \gset
SELECT :appended > 2 AS several, :there = :appended AS all_there;
SELECT pg_sleep(0.6);
SELECT count(*) = :appended AS still FROM weir.read('life.slide');
SELECT weir.alter_stream('life.slide', reset => '{ttl}');
SELECT properties FROM weir.stream_info('life.slide');
SELECT weir.alter_stream('life.slide', expires_at => now());
SELECT count(*) AS over FROM weir.read('life.slide');

-- The housekeeper: what has ended goes, a stream in use is looked at again when it is due by then, what is in
-- somebody's hands is left, and a large one takes several steps.
SELECT weir.append('life.used', '1') IS NOT NULL AS appended;
SELECT weir.alter_stream('life.used', ttl => '1 ms');
SELECT sum(frames) FROM (SELECT weir.append_batch('life.large', array_agg(to_jsonb(i))) AS b FROM generate_series(1, 9000) i) a, LATERAL (SELECT (a.b).frames) f;
SELECT weir.alter_stream('life.large', expires_at => now());
SELECT pg_temp.ended('life.used'), weir.append('life.used', '2') IS NOT NULL AS a_new_one;
SELECT weir.create_stream('life.used.2', ttl => '10 seconds'), weir.append('life.used.2', '1') IS NOT NULL AS appended;
UPDATE weir.stream_property p SET due_at = 1 FROM weir.registry n WHERE n.id = p.stream_id AND n.name = 'life.used.2';
SELECT steps BETWEEN 3 AND 9 AS steps, failures, last_error AS error FROM weir.housekeep('lifetimes');
SELECT count(*) AS due FROM weir.stream_property WHERE due_at < extract(epoch FROM clock_timestamp()) * 1000;
SELECT n.name, due_at > extract(epoch FROM clock_timestamp()) * 1000 AS due_later
FROM weir.stream_property p JOIN weir.registry n ON n.id = p.stream_id WHERE n.name LIKE 'life.%' ORDER BY 1;
SELECT count(*) AS left_behind FROM weir.frame_log f JOIN weir.registry n ON n.id = f.stream_id
WHERE n.name IN ('life.large', 'life.slide', 'life.fixed') AND f.payload IS NOT NULL;

-- Who appends behind an end pays for none of what was there: its rows, keys and checkpoints stay for the housekeeper,
-- under a name that nobody reads or writes. A subscription begins the new one at its beginning.
SELECT weir.create_stream('life.much', expires_at => clock_timestamp() + interval '1500 ms');
SELECT frames FROM weir.append_batch('life.much', (SELECT array_agg(to_jsonb(i)) FROM generate_series(1, 5000) i));
SELECT count(weir.append_patch('life.much', '{"old": 1}', idempotency_key => 'k' || i)) AS keyed,
       max(weir.append_best_effort('life.much', '1')) AS old FROM generate_series(1, 10) i \gset
SELECT weir.subscribe('life.all', 'life.mu*', after => '-'), weir.subscribe('life.one', 'life.much', after => '-');
SELECT (SELECT count(*) FROM weir.fetch('life.all', 4)) + (SELECT count(*) FROM weir.fetch('life.one', 4)) AS fetched;
SELECT pg_sleep(1.6);
SELECT weir.append('life.much', '"new"') > :'old' AS above, weir.append('life.much', '"again"') IS NOT NULL AS again;
SELECT weir.append_best_effort('life.much', '"live"') IS NOT NULL AS live;
CREATE TEMP TABLE ended AS SELECT id, name FROM weir.registry WHERE kind = 'e' AND dropped_at IS NULL;
SELECT count(*) FROM ended;
SELECT (SELECT count(*) FROM weir.frame_log f JOIN ended e ON e.id = f.stream_id WHERE payload IS NOT NULL) AS rows,
       (SELECT count(*) FROM weir.idempotency i JOIN ended e ON e.id = i.stream_id) AS keys,
       (SELECT count(*) FROM weir.read('life.much')) AS read, (SELECT count(*) FROM weir.list_streams('*ended*')) AS listed,
       (SELECT count(*) FROM weir.streams WHERE stream LIKE '%ended%') AS in_view;
SELECT pg_temp.say(format('SELECT weir.append(%L, ''1'')', name)) AS append, pg_temp.say(format('SELECT count(*) FROM weir.read(%L)', name)) AS read,
       pg_temp.say(format('SELECT weir.drop_stream(%L)', name)) AS dropped FROM ended;
SELECT array_agg(payload) AS all FROM weir.fetch('life.all');
SELECT array_agg(payload) AS one FROM weir.fetch('life.one');
SELECT steps >= 3 AS steps, failures, last_error AS error FROM weir.housekeep('lifetimes');
SELECT (SELECT count(*) FROM weir.frame_log f JOIN ended e ON e.id = f.stream_id) AS mark,
       (SELECT count(*) FROM weir.frame_best_effort f JOIN ended e ON e.id = f.stream_id) AS best_effort,
       (SELECT count(*) FROM weir.idempotency i JOIN ended e ON e.id = i.stream_id) AS keys,
       (SELECT count(*) FROM weir.stream_property p JOIN ended e ON e.id = p.stream_id) AS properties,
       (SELECT array_agg(payload ORDER BY id) FROM weir.read('life.much')) AS read;
UPDATE weir.registry SET dropped_at = '1000-0' WHERE kind = 'e';
SELECT failures FROM weir.housekeep('names');
SELECT count(*) AS names, (SELECT count(*) FROM weir.frame_log f JOIN ended e ON e.id = f.stream_id) AS rows
FROM weir.registry WHERE kind = 'e';
SELECT weir.append('life.much', '"on"') IS NOT NULL AS goes_on;
SELECT weir.unsubscribe('life.all'), weir.unsubscribe('life.one');
DROP TABLE ended;

SELECT weir.drop_streams('life.*') > 5 AS dropped;
SELECT count(*) FROM weir.stream_property p JOIN weir.registry n ON n.id = p.stream_id WHERE n.name LIKE 'life.%';
