-- SPDX-License-Identifier: PostgreSQL
-- Claim: retention keeps what it says, by age, by number, or both, and what a subscription
-- with hold has not acknowledged, within the bounds of that; it works by itself as events
-- come. Whoever goes on below what is left is told so, with the first position there is and
-- how much is gone: no gap is ever silent, and none is made up.
CREATE FUNCTION pg_temp.fetched(name text, max integer DEFAULT 100) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(f.payload #>> '{}', ' ' ORDER BY f.n) FROM weir.fetch($1, $2) WITH ORDINALITY f(stream, id, at, mode, type, payload, bytes, headers, n) $$;
CREATE FUNCTION pg_temp.kept(stream text) RETURNS text LANGUAGE sql AS
$$ SELECT min(payload::text::integer) || ' to ' || max(payload::text::integer) || ': ' || count(*) FROM weir.read($1, max => 10000) $$;
CREATE FUNCTION pg_temp.at(stream text, payload text) RETURNS weir.position LANGUAGE sql AS
$$ SELECT r.id FROM weir.read($1, max => 10000) r WHERE r.payload #>> '{}' = $2 $$;
-- What an expired cursor's error says, its positions replaced by payloads.
CREATE FUNCTION pg_temp.refusal(call text, stream text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
    said text;
    about text;
    hint text;
    frame record;
BEGIN
    EXECUTE call;
    RETURN 'accepted';
EXCEPTION WHEN SQLSTATE 'WR004' THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, about = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    said := said || E'\n' || about || E'\n' || hint;
    FOR frame IN SELECT id, payload FROM ids WHERE ids.stream = refusal.stream ORDER BY length(id::text) DESC LOOP
        said := replace(said, frame.id::text || ' ', '#' || frame.payload || ' ');
        said := replace(said, frame.id::text || '.', '#' || frame.payload || '.');
    END LOOP;
    RETURN said;
END
$$;
CREATE TEMP TABLE ids (stream text, id weir.position, payload text);
CREATE PROCEDURE pg_temp.emit(stream text, "from" integer, upto integer) LANGUAGE plpgsql AS
$$ BEGIN FOR i IN "from" .. upto LOOP PERFORM weir.emit(stream, to_jsonb(i), 'n'); COMMIT; END LOOP;
   INSERT INTO ids SELECT $1, r.id, r.payload::text FROM weir.read($1, max => 10000) r WHERE NOT EXISTS (SELECT FROM ids WHERE ids.stream = $1 AND ids.id = r.id); END $$;

-- The housekeeper applies it; here it comes when it is called.
-- By number. What is set is there to see; set again it is replaced, with nothing it is gone.
SELECT weir.create_stream('ret.n', max_frames => 5), weir.create_stream('ret.gone', max_age => '1 day');
SELECT * FROM weir.retention ORDER BY stream;
SELECT weir.alter_stream('ret.gone', reset => '{max_age,max_frames,hold_age,hold_frames}'), weir.alter_stream('ret.n', max_frames => 4, hold_age => '1 month 2 days 00:00:00.5', hold_frames => 8);
SELECT * FROM weir.retention ORDER BY stream;
CALL pg_temp.emit('ret.n', 1, 20);
SELECT weir.retain('ret.n') AS removed, pg_temp.kept('ret.n'), weir.retain('ret.n') AS again;
-- Frames that were rolled back do not count.
CALL pg_temp.emit('ret.n', 21, 22);
BEGIN;
SELECT count(weir.append('ret.n', '0')) FROM generate_series(1, 10);
ROLLBACK;
CALL pg_temp.emit('ret.n', 23, 24);
SELECT weir.retain('ret.n') AS removed, pg_temp.kept('ret.n');
-- Nothing beyond what is settled, and no frame kept at all.
BEGIN;
SELECT weir.append('ret.n', '25') IS NOT NULL AS appended;
SELECT weir.alter_stream('ret.n', max_frames => 0);
COMMIT;
SELECT weir.retain() AS removed;
SELECT count(*) FROM weir.read('ret.n');
SELECT frames, lifetime_frames FROM weir.stream_info('ret.n');
SELECT weir.emit('ret.n', '26', 'n'), weir.retain('ret.unknown') AS unknown;

-- By age.
CALL pg_temp.emit('ret.age', 1, 5);
SELECT weir.alter_stream('ret.age', max_age => '1 hour');
SELECT weir.retain('ret.age') AS removed;
SELECT pg_sleep(0.02);
SELECT weir.alter_stream('ret.age', max_age => '10 ms');
SELECT weir.retain('ret.age') AS removed;
SELECT count(*) FROM weir.read('ret.age');

-- Asked by appends, and no more than is due: a thousand events more or less.
SELECT weir.create_stream('ret.auto', max_frames => 100);
DO $$ BEGIN FOR i IN 1 .. 200 LOOP PERFORM weir.emit('ret.auto', to_jsonb(i * 100 + j), 'n') FROM generate_series(1, 100) j; COMMIT; END LOOP; END $$;
SELECT steps > 0 AS any, failures, last_error FROM weir.housekeep() WHERE job = 'retention';
SELECT frames BETWEEN 100 AND 1200 AS trimmed, lifetime_frames FROM weir.stream_info('ret.auto');
-- So does append(), and so do events of one transaction.
SELECT weir.create_stream('ret.append', max_frames => 10);
DO $$ BEGIN FOR i IN 1 .. 3000 LOOP PERFORM weir.append('ret.append', to_jsonb(i)); END LOOP; END $$;
SELECT steps > 0 AS any, failures, last_error FROM weir.housekeep() WHERE job = 'retention';
SELECT frames BETWEEN 10 AND 1100 AS trimmed, lifetime_frames FROM weir.stream_info('ret.append');
SELECT weir.create_stream('ret.one', max_frames => 10);
SELECT count(weir.emit('ret.one', to_jsonb(i), 'n')) FROM generate_series(1, 5000) i;
SELECT pg_temp.kept('ret.one');
-- Few events, and none at all, are looked after as well, some seconds later: here, when all is looked at.
SELECT weir.create_stream('ret.slow', max_age => '10 ms');
CALL pg_temp.emit('ret.slow', 1, 3);
SELECT pg_sleep(0.05);
CALL pg_temp.emit('ret.slow', 4, 4);
SELECT pg_temp.kept('ret.slow');
SELECT looks_at_everything AS due FROM weir.housekeeping WHERE job = 'retention';
CREATE TABLE ret_ids AS SELECT * FROM ids;
\c -
SELECT pg_sleep(0.05);
SELECT steps > 0 AS any, failures, last_error FROM weir.housekeep('retention');
SELECT count(*) AS kept FROM weir.read('ret.slow');
SELECT weir.emit('ret.slow', '5', 'n');
CREATE FUNCTION pg_temp.fetched(name text, max integer DEFAULT 100) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(f.payload #>> '{}', ' ' ORDER BY f.n) FROM weir.fetch($1, $2) WITH ORDINALITY f(stream, id, at, mode, type, payload, bytes, headers, n) $$;
CREATE FUNCTION pg_temp.kept(stream text) RETURNS text LANGUAGE sql AS
$$ SELECT min(payload::text::integer) || ' to ' || max(payload::text::integer) || ': ' || count(*) FROM weir.read($1, max => 10000) $$;
CREATE FUNCTION pg_temp.refusal(call text, stream text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
    said text;
    about text;
    hint text;
    frame record;
BEGIN
    EXECUTE call;
    RETURN 'accepted';
EXCEPTION WHEN SQLSTATE 'WR004' THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, about = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    said := said || E'\n' || about || E'\n' || hint;
    FOR frame IN SELECT id, payload FROM ret_ids ids WHERE ids.stream = refusal.stream LOOP
        said := replace(said, frame.id::text || ' ', '#' || frame.payload || ' ');
        said := replace(said, frame.id::text || '.', '#' || frame.payload || '.');
    END LOOP;
    RETURN said;
END
$$;
CREATE PROCEDURE pg_temp.emit(stream text, "from" integer, upto integer) LANGUAGE plpgsql AS
$$ BEGIN FOR i IN "from" .. upto LOOP PERFORM weir.emit(stream, to_jsonb(i), 'n'); COMMIT; END LOOP;
   INSERT INTO ret_ids SELECT $1, r.id, r.payload::text FROM weir.read($1, max => 10000) r WHERE NOT EXISTS (SELECT FROM ret_ids ids WHERE ids.stream = $1 AND ids.id = r.id); END $$;
CREATE FUNCTION pg_temp.at(stream text, payload text) RETURNS weir.position LANGUAGE sql AS
$$ SELECT i.id FROM ret_ids i WHERE i.stream = $1 AND i.payload = $2 $$;

-- An expired cursor: how much is gone is exact for a subscription.
CALL pg_temp.emit('ret.x', 1, 10);
SELECT weir.subscribe('ret.x1', 'ret.x', '-'), weir.subscribe('ret.x2', 'ret.x', '-'), weir.subscribe('ret.x3', 'ret.x', '-'), weir.subscribe('ret.x4', 'ret.x');
SELECT weir.ack('ret.x1', pg_temp.at('ret.x', '2')) AS x1, weir.ack('ret.x2', pg_temp.at('ret.x', '6')) AS x2, weir.ack('ret.x3', pg_temp.at('ret.x', '5')) AS x3;
SELECT weir.trim('ret.x', keep => 4) AS trimmed;
SELECT pg_temp.refusal('SELECT * FROM weir.fetch(''ret.x1'')', 'ret.x');
-- Not so where nothing that was removed lay behind the cursor.
SELECT pg_temp.fetched('ret.x2') AS all_that_was_behind, pg_temp.fetched('ret.x4') AS nothing_yet;
SELECT pg_temp.refusal('SELECT * FROM weir.fetch(''ret.x3'')', 'ret.x');
SELECT name, lag_frames, expired FROM weir.subscriptions WHERE stream = 'ret.x' ORDER BY name;
-- What was fetched before the trim can still be acknowledged, also across it; the figures stay exact.
SELECT weir.ack('ret.x3', pg_temp.at('ret.x', '6')) AS passed, pg_temp.fetched('ret.x3');
SELECT weir.ack('ret.x1', pg_temp.at('ret.x', '8')) AS passed, pg_temp.fetched('ret.x1');
SELECT name, lag_frames, expired FROM weir.subscriptions WHERE stream = 'ret.x' ORDER BY name;
-- The ways on.
SELECT weir.seek('ret.x1', pg_temp.at('ret.x', '6')), pg_temp.fetched('ret.x1');
SELECT weir.seek('ret.x1', '-'), pg_temp.fetched('ret.x1');
SELECT pg_temp.refusal(format('SELECT weir.seek(''ret.x1'', %L)', pg_temp.at('ret.x', '5')), 'ret.x');
SELECT pg_temp.refusal(format('SELECT weir.subscribe(''ret.x5'', ''ret.x'', %L)', pg_temp.at('ret.x', '5')), 'ret.x');
SELECT weir.subscribe('ret.x5', 'ret.x', '-'), pg_temp.fetched('ret.x5'), weir.subscribe('ret.x6', 'ret.x', since => '-infinity'), pg_temp.fetched('ret.x6');
-- One that began at the oldest there was misses what is removed before it came.
SELECT weir.trim('ret.x', keep => 2) AS trimmed, pg_temp.refusal('SELECT * FROM weir.fetch(''ret.x5'')', 'ret.x');
-- All is gone, and something new comes.
SELECT weir.trim('ret.x', keep => 0) AS trimmed;
SELECT pg_temp.refusal('SELECT * FROM weir.fetch(''ret.x5'')', 'ret.x');
SELECT pg_temp.fetched('ret.x4') AS nothing_missed;
CALL pg_temp.emit('ret.x', 11, 12);
SELECT pg_temp.refusal('SELECT * FROM weir.fetch(''ret.x5'')', 'ret.x');
SELECT pg_temp.fetched('ret.x4');
SELECT name, lag_frames, expired FROM weir.subscriptions WHERE stream = 'ret.x' ORDER BY name;
-- A reader with a cursor of its own is told as well; one that begins is not.
SELECT pg_temp.refusal(format('SELECT * FROM weir.read(''ret.x'', after => %L)', pg_temp.at('ret.x', '5')), 'ret.x');
SELECT pg_temp.refusal(format('SELECT * FROM weir.read_many(ARRAY[''ret.x''], ARRAY[%L]::weir.position[])', pg_temp.at('ret.x', '9')), 'ret.x');
SELECT count(*) FROM weir.read('ret.x', after => pg_temp.at('ret.x', '10'));
SELECT count(*) FROM weir.read('ret.x', after => '-');
SELECT count(*) FROM weir.read('ret.x', since => '-infinity');
SELECT count(*) FROM weir.read('ret.x', after => pg_temp.at('ret.x', '5'), reverse => true);
-- A stream by pattern, made and trimmed before it was ever looked at.
SELECT weir.subscribe('ret.pattern', 'ret.new.*');
CALL pg_temp.emit('ret.new.1', 1, 5);
SELECT weir.trim('ret.new.1', keep => 2) AS trimmed, pg_temp.refusal('SELECT * FROM weir.fetch(''ret.pattern'')', 'ret.new.1');
SELECT weir.seek('ret.pattern', '-', 'ret.new.1'), pg_temp.fetched('ret.pattern');

-- Held back by who asked for it, and by nobody else; within the bounds.
SELECT weir.create_stream('ret.h', max_frames => 3, hold_frames => 10);
SELECT weir.subscribe('ret.hold', 'ret.h', hold => true), weir.subscribe('ret.free', 'ret.h');
CALL pg_temp.emit('ret.h', 1, 8);
SELECT weir.retain('ret.h') AS removed, pg_temp.kept('ret.h');
SELECT weir.ack('ret.hold', pg_temp.at('ret.h', '4')) AS passed, weir.retain('ret.h') AS removed, pg_temp.kept('ret.h');
SELECT pg_temp.refusal('SELECT * FROM weir.fetch(''ret.free'')', 'ret.h');
CALL pg_temp.emit('ret.h', 9, 30);
SELECT weir.retain('ret.h') AS removed, pg_temp.kept('ret.h') AS bounded;
SELECT pg_temp.refusal('SELECT * FROM weir.fetch(''ret.hold'')', 'ret.h');
SELECT weir.unsubscribe('ret.hold'), weir.retain('ret.h') AS removed, pg_temp.kept('ret.h');
-- Also by pattern, for a stream that it has no cursor in yet; and bounded by age.
SELECT weir.subscribe('ret.hold', 'ret.g*', hold => true), weir.create_stream('ret.g', max_frames => 1, hold_age => '1 day');
CALL pg_temp.emit('ret.g', 1, 5);
SELECT weir.retain('ret.g') AS removed, pg_temp.kept('ret.g');
SELECT pg_sleep(0.02);
SELECT weir.alter_stream('ret.g', max_frames => 1, hold_age => '10 ms'), weir.retain('ret.g') AS removed, pg_temp.kept('ret.g');

-- Bad arguments.
\set VERBOSITY terse
SELECT weir.create_stream(NULL, max_frames => 1);
SELECT weir.create_stream('', max_frames => 1);
SELECT weir.create_stream('ret.bad', max_frames => -1);
SELECT weir.create_stream('ret.bad', max_age => '0');
SELECT weir.create_stream('ret.bad', max_age => '-1 day');
SELECT weir.create_stream('ret.bad', max_age => '102 years');
SELECT weir.create_stream('ret.bad', max_age => '178000000 years');
SELECT weir.create_stream('ret.bad', max_age => '1 day', hold_age => '999 us');
SELECT weir.create_stream('ret.bad', max_age => '1 day', hold_frames => -1);
SELECT weir.retain('');
\set VERBOSITY sqlstate
BEGIN READ ONLY;
SELECT weir.create_stream('ret.bad', max_frames => 1);
ROLLBACK;
BEGIN READ ONLY;
SELECT weir.retain();
ROLLBACK;
\set VERBOSITY default
SELECT count(*) FROM weir.retention WHERE stream = 'ret.bad';

SELECT bool_and(weir.unsubscribe(s.name)) AS unsubscribed FROM (SELECT DISTINCT name FROM weir.subscriptions) s;
SELECT count(weir.alter_stream(stream, reset => '{max_age,max_frames,hold_age,hold_frames}')) FROM weir.retention;
SELECT count(*) FROM weir.retention;
DROP TABLE ret_ids;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'ret.%';
