-- SPDX-License-Identifier: PostgreSQL
-- Claim: over thousands of random calls (every form of append, patches, keys,
-- trims, closes, drops; committed, rolled back, in savepoints that are undone)
-- streams agree at every step with plain tables on which the obvious statements
-- were run: the same frames under every bound, filter and direction, the same
-- summary, the same figures, the same errors.
SET client_min_messages = warning;
CREATE TEMP SEQUENCE m_order;
CREATE TEMP TABLE m_frame (stream text, n bigint DEFAULT nextval('m_order'), id weir.position, mode text, type text, payload jsonb, headers jsonb);
CREATE TEMP TABLE m_stream (stream text PRIMARY KEY, closed boolean DEFAULT false, reason text, document jsonb, version bigint DEFAULT 0, lifetime bigint DEFAULT 0,
                            cut weir.position);
CREATE TEMP TABLE m_key (stream text, key text, payload jsonb, id weir.position);

CREATE FUNCTION pg_temp.pick(below integer) RETURNS integer LANGUAGE sql AS $$ SELECT floor(random() * below)::integer $$;

-- Notes what an append did; only the newest five best-effort frames stay.
CREATE FUNCTION pg_temp.note(s text, i weir.position, m text, t text, p jsonb, h jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO m_stream (stream) VALUES (s) ON CONFLICT DO NOTHING;
    INSERT INTO m_frame (stream, id, mode, type, payload, headers) VALUES (s, i, m, t, p, h);
    UPDATE m_stream SET lifetime = lifetime + 1 WHERE stream = s;
    IF m = 'best_effort' THEN
        DELETE FROM m_frame WHERE stream = s AND mode = m AND n <= (SELECT f.n FROM m_frame f WHERE f.stream = s AND f.mode = m ORDER BY f.n DESC OFFSET 5 LIMIT 1);
    END IF;
END
$$;

-- One random call on s, done to both. Without best_effort there are no best-effort appends:
-- a rolled-back one still counts towards K.
CREATE FUNCTION pg_temp.step(s text, best_effort boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    dice integer := pg_temp.pick(100);
    t text := (ARRAY[NULL, 'a', 'b'])[1 + pg_temp.pick(3)];
    h jsonb := (ARRAY[NULL, '{"k": 1}', '{"k": 2, "l": [1]}'])[1 + pg_temp.pick(3)];
    p jsonb := to_jsonb(pg_temp.pick(1000000));
    i weir.position;
    got record;
    many integer;
    cut weir.position;
    expected bigint;
    found record;
BEGIN
    SELECT * INTO found FROM m_stream WHERE stream = s;
    IF dice < 30 THEN
        i := weir.append(s, p, t, h);
        PERFORM pg_temp.note(s, i, 'durable', t, p, h);
    ELSIF dice < 38 THEN
        SELECT * INTO got FROM weir.append_batch(s, ARRAY[p, '2', '3'], t, h);
        FOR j IN 0 .. 2 LOOP
            PERFORM pg_temp.note(s, (got.first_id::bigint + j)::weir.position, 'durable', t, (ARRAY[p, '2', '3'])[1 + j], h);
        END LOOP;
        ASSERT got.frames = 3 AND got.last_id::bigint = got.first_id::bigint + 2, 'batch';
    ELSIF dice < 55 THEN
        p := jsonb_build_object('k' || pg_temp.pick(9), CASE pg_temp.pick(4) WHEN 0 THEN NULL WHEN 1 THEN '"__weir_null__"' ELSE p END, 'in', jsonb_build_object('k' || pg_temp.pick(5), p));
        SELECT * INTO got FROM weir.append_patch(s, p, t, h);
        ASSERT got.summary_version > coalesce(found.version, 0), 'version';
        PERFORM pg_temp.note(s, got.id, 'summary', t, p, h);
        UPDATE m_stream SET document = weir.merge_patch(coalesce(document, '{}'), p, '__weir_null__'), version = got.summary_version WHERE stream = s;
    ELSIF dice < 70 AND best_effort THEN
        IF EXISTS (SELECT FROM weir.stream_info(s)) THEN
            PERFORM weir.alter_stream(s, maxlen_floor => 5, maxlen_ceiling => 5);
        ELSE
            PERFORM weir.create_stream(s, maxlen_floor => 5, maxlen_ceiling => 5);
        END IF;
        i := weir.append_best_effort(s, p, t, h, ttl => '1 day');
        PERFORM pg_temp.note(s, i, 'best_effort', t, p, h);
    ELSIF dice < 78 THEN
        t := 'key' || pg_temp.pick(6);
        p := to_jsonb(pg_temp.pick(2));
        SELECT * INTO got FROM m_key WHERE stream = s AND key = t;
        BEGIN
            i := weir.append(s, p, 'a', idempotency_key => t);
            IF got.id IS NOT NULL THEN
                ASSERT i::bigint = got.id::bigint AND p = got.payload, 'another answer to the same key';
            ELSE
                INSERT INTO m_key VALUES (s, t, p, i);
                PERFORM pg_temp.note(s, i, 'durable', 'a', p, NULL);
            END IF;
        EXCEPTION WHEN SQLSTATE 'WR005' THEN
            ASSERT p <> got.payload, 'a conflict where there is none';
        END;
        RETURN;
    ELSIF dice < 86 THEN
        many := pg_temp.pick(30);
        expected := (SELECT count(*) FROM m_frame WHERE stream = s AND mode <> 'close') - many;
        ASSERT weir.trim(s, keep => many) = greatest(expected, 0), 'trimmed by keep';
        DELETE FROM m_frame WHERE stream = s AND mode <> 'close' AND n IN (SELECT f.n FROM m_frame f WHERE f.stream = s AND f.mode <> 'close' ORDER BY f.n DESC OFFSET many);
        RETURN;
    ELSIF dice < 92 THEN
        cut := coalesce((SELECT f.id FROM m_frame f WHERE f.stream = s ORDER BY random() LIMIT 1), '5-5');
        expected := (SELECT count(*) FROM m_frame f WHERE f.stream = s AND f.mode <> 'close' AND f.id < cut);
        ASSERT weir.trim(s, before => cut) = expected, 'trimmed by before';
        DELETE FROM m_frame f WHERE f.stream = s AND f.mode <> 'close' AND f.id < cut;
        RETURN;
    ELSIF dice < 95 THEN
        i := weir.close(s, 'reason ' || dice);
        IF found.closed THEN
            ASSERT i::bigint = (SELECT f.id::bigint FROM m_frame f WHERE f.stream = s AND f.mode = 'close'), 'closed twice';
        ELSE
            INSERT INTO m_stream (stream) VALUES (s) ON CONFLICT DO NOTHING;
            INSERT INTO m_frame (stream, id, mode, payload) VALUES (s, i, 'close', jsonb_build_object('reason', 'reason ' || dice));
            UPDATE m_stream SET closed = true, reason = 'reason ' || dice WHERE stream = s;
        END IF;
        RETURN;
    ELSIF dice < 98 OR found.closed THEN
        ASSERT weir.drop_stream(s) = (found.stream IS NOT NULL), 'dropped';
        DELETE FROM m_stream WHERE stream = s;
        DELETE FROM m_frame WHERE stream = s;
        DELETE FROM m_key WHERE stream = s;
        RETURN;
    ELSE
        RETURN;
    END IF;
    ASSERT NOT coalesce(found.closed, false), 'appended to a closed stream';
EXCEPTION WHEN SQLSTATE 'WR001' THEN
    ASSERT coalesce(found.closed, false), 'not closed, but says so';
END
$$;

CREATE FUNCTION pg_temp.check(s text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a weir.position := (SELECT id FROM m_frame WHERE stream = s ORDER BY random() LIMIT 1);
    b weir.position := (SELECT id FROM m_frame WHERE stream = s ORDER BY random() LIMIT 1);
    back boolean := pg_temp.pick(2) = 0;
    size integer := 1 + pg_temp.pick(40);
    seen text := (ARRAY['all', 'exclude_best_effort'])[1 + pg_temp.pick(2)];
    ts text[] := CASE pg_temp.pick(3) WHEN 0 THEN '{a}'::text[] END;
    h jsonb := CASE pg_temp.pick(3) WHEN 0 THEN '{"k": 2}'::jsonb END;
    m record;
    i record;
    d record;
BEGIN
    IF pg_temp.pick(2) = 0 THEN a := NULL; END IF;
    IF pg_temp.pick(2) = 0 THEN b := NULL; END IF;
    ASSERT (SELECT array_agg((id, mode, type, payload, headers)::text ORDER BY o) FROM (
                SELECT r.*, row_number() OVER () AS o FROM weir.read(s, a, b, size, seen, ts, h, back) r) got)
        IS NOT DISTINCT FROM (SELECT array_agg((id, mode, type, payload, headers)::text ORDER BY CASE WHEN back THEN -n ELSE n END) FROM (
                SELECT * FROM m_frame f WHERE f.stream = s AND (a IS NULL OR f.id > a) AND (b IS NULL OR f.id <= b)
                    AND (f.mode = 'close' OR (seen = 'all' OR f.mode <> 'best_effort') AND (ts IS NULL OR f.type = ANY (ts)) AND (h IS NULL OR f.headers @> h))
                ORDER BY CASE WHEN back THEN -n ELSE n END LIMIT size) want), format('read(%s, %s, %s, %s, %s, %s, %s, %s)', s, a, b, size, seen, ts, h, back);
    SELECT * INTO m FROM m_stream WHERE stream = s;
    SELECT * INTO i FROM weir.stream_info(s);
    SELECT * INTO d FROM weir.summary(s);
    ASSERT (i.stream IS NULL) = (m.stream IS NULL), 'there or not';
    ASSERT d.document IS NOT DISTINCT FROM m.document, 'document';
    IF m.stream IS NOT NULL THEN
        ASSERT i.frames = (SELECT count(*) FROM m_frame WHERE stream = s AND mode <> 'close'), 'frames';
        ASSERT i.best_effort_frames = (SELECT count(*) FROM m_frame WHERE stream = s AND mode = 'best_effort'), 'best effort frames';
        ASSERT i.lifetime_frames = m.lifetime, format('lifetime frames: %s, not %s', i.lifetime_frames, m.lifetime);
        ASSERT i.closed = m.closed AND i.close_reason IS NOT DISTINCT FROM m.reason, 'closed';
        ASSERT m.document IS NULL OR d.version = m.version AND i.version = m.version, 'version';
        ASSERT weir.head(s) >= coalesce((SELECT max(id) FROM m_frame WHERE stream = s), '-'), 'head';
    END IF;
END
$$;

-- Steps in a savepoint that is undone.
CREATE FUNCTION pg_temp.undone(s text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR j IN 0 .. pg_temp.pick(4) LOOP
        PERFORM pg_temp.step(s, false);
        PERFORM pg_temp.check(s);
    END LOOP;
    RAISE SQLSTATE 'MO001';
EXCEPTION WHEN SQLSTATE 'MO001' THEN
    NULL;
END
$$;

CREATE PROCEDURE pg_temp.run(seed float8, rounds integer) LANGUAGE plpgsql AS $$
DECLARE
    s text;
    doomed boolean;
BEGIN
    PERFORM setseed(seed);
    FOR round IN 1 .. rounds LOOP
        doomed := pg_temp.pick(5) = 0;
        FOR j IN 0 .. pg_temp.pick(5) LOOP
            s := 'model.' || pg_temp.pick(3);
            IF pg_temp.pick(6) = 0 THEN
                PERFORM pg_temp.undone(s);
            ELSE
                PERFORM pg_temp.step(s, NOT doomed);
            END IF;
            PERFORM pg_temp.check(s);
        END LOOP;
        IF doomed THEN
            ROLLBACK;
        ELSE
            COMMIT;
        END IF;
        PERFORM pg_temp.check('model.0'), pg_temp.check('model.1'), pg_temp.check('model.2');
        COMMIT;
    END LOOP;
END
$$;
CALL pg_temp.run(0.1, 400);
CALL pg_temp.run(-0.7, 400);
SELECT count(*) > 10 AS something_is_left FROM m_frame;

DROP TABLE m_frame, m_stream, m_key;
SELECT bool_and(weir.drop_stream(stream)) AS dropped FROM weir.streams WHERE stream LIKE 'model.%';
