-- SPDX-License-Identifier: PostgreSQL
--
-- Streams in plpgsql, to try the checker on: slow and simple, right in the one way
-- that needs no thought (one lock for everything, held until commit, so that
-- commits come in id order), and wrong in the ways that `mock.fault` names:
--
--   unlocked     ids from a sequence without the lock: the usual outbox
--   duplicate    a reader gets some frames again
--   drop         a reader is not given some frames
--   aborted      some frames of rolled-back transactions are there all the same
--   doctored     some payloads come back changed
--   backwards    some positions are below those given out before
--   fold         the summary leaves out some patches
--   versions     patches get versions with holes
--   torn         a batch is not in one piece
--   stale        some reads look at less than was settled
--   counts       a count that is one too low
--   close        a frame behind the close mark
--
-- Positions are a domain over bigint, which is all that the checker looks at.

CREATE SCHEMA weir;
CREATE DOMAIN weir.position AS bigint;
CREATE SEQUENCE weir.ids;
CREATE TABLE weir.registry (name text, id bigint);
CREATE TABLE weir.frame_log (
    stream_id bigint, id weir.position, mode text, type text, payload jsonb, bytes bytea, headers jsonb,
    version bigint, key text, PRIMARY KEY (stream_id, id));
CREATE INDEX ON weir.frame_log (key);
CREATE TABLE weir.frame_best_effort (nothing int);

CREATE FUNCTION weir.fault(name text, one_in int DEFAULT 1) RETURNS boolean LANGUAGE sql VOLATILE AS
$$ SELECT coalesce(current_setting('mock.fault', true), '') = name AND random() * one_in < 1 $$;

CREATE FUNCTION weir.number(stream text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT hashtextextended(stream, 0) $$;

-- Sequences are not rolled back: versions, and a way out of an aborted transaction.
DO $$ BEGIN
    FOR i IN 0..7 LOOP
        EXECUTE format('CREATE SEQUENCE weir.version%s; CREATE SEQUENCE weir.leak%s', i, i);
        INSERT INTO weir.registry VALUES ('checker/' || i, weir.number('checker/' || i));
    END LOOP;
END $$;

CREATE FUNCTION weir.put(stream text, m text, p jsonb, b bytea, t text, h jsonb, k text, v bigint DEFAULT NULL)
    RETURNS weir.position LANGUAGE plpgsql AS
$$
DECLARE n bigint; had bigint; leak text := 'weir.leak' || right(stream, 1); lost bigint;
BEGIN
    IF NOT weir.fault('unlocked') THEN
        PERFORM pg_advisory_xact_lock(4711);
    END IF;
    IF k IS NOT NULL THEN
        SELECT id INTO had FROM weir.frame_log WHERE key = k AND stream_id = weir.number(stream) ORDER BY id LIMIT 1;
        IF FOUND THEN RETURN had; END IF;
    END IF;
    n := nextval('weir.ids');
    IF m <> 'close' AND weir.fault('backwards', 5) THEN
        SELECT coalesce(min(g), n) INTO n FROM generate_series(n / 2, n) g
        WHERE NOT EXISTS (SELECT FROM weir.frame_log f WHERE f.stream_id = weir.number(stream) AND f.id = g);
    END IF;
    IF weir.fault('aborted') AND m = 'durable' AND p ? 'k' THEN
        EXECUTE 'SELECT last_value FROM ' || leak INTO lost;
        IF random() < 0.9 AND NOT EXISTS (SELECT FROM weir.frame_log f WHERE f.payload ->> 'k' = lost::text) THEN
            INSERT INTO weir.frame_log VALUES (weir.number(stream), n, m, t, jsonb_build_object('k', lost), b, h);
            n := nextval('weir.ids');
        END IF;
        PERFORM setval(leak, (p ->> 'k')::bigint);
    END IF;
    INSERT INTO weir.frame_log VALUES (weir.number(stream), n, m, t, p, b, h, v, k);
    RETURN n;
END
$$;

CREATE FUNCTION weir.create_stream(stream text, frame_ttl interval, maxlen_floor int, maxlen_ceiling int) RETURNS void
    LANGUAGE sql AS '';
CREATE FUNCTION weir.append(stream text, payload jsonb, type text, headers jsonb, key text,
    m text DEFAULT 'durable') RETURNS weir.position LANGUAGE sql AS
$$ SELECT weir.put(stream, m, payload, NULL, type, headers, key) $$;
CREATE FUNCTION weir.append_text(stream text, payload text, type text, headers jsonb, key text) RETURNS weir.position LANGUAGE sql AS
$$ SELECT weir.put(stream, 'durable', to_jsonb(payload), NULL, type, headers, key) $$;
CREATE FUNCTION weir.append_bytes(stream text, payload bytea, type text, headers jsonb, key text) RETURNS weir.position LANGUAGE sql AS
$$ SELECT weir.put(stream, 'durable', NULL, payload, type, headers, key) $$;
CREATE FUNCTION weir.append_best_effort(stream text, payload jsonb, type text, headers jsonb, key text) RETURNS weir.position LANGUAGE sql AS
$$ SELECT weir.put(stream, 'best_effort', payload, NULL, type, headers, key) $$;
CREATE FUNCTION weir.append_best_effort_text(stream text, payload text, type text, headers jsonb, key text) RETURNS weir.position LANGUAGE sql AS
$$ SELECT weir.put(stream, 'best_effort', to_jsonb(payload), NULL, type, headers, key) $$;
CREATE FUNCTION weir.append_best_effort_bytes(stream text, payload bytea, type text, headers jsonb, key text) RETURNS weir.position LANGUAGE sql AS
$$ SELECT weir.put(stream, 'best_effort', NULL, payload, type, headers, key) $$;
CREATE FUNCTION weir.append_patch(stream text, patch jsonb, type text, headers jsonb, key text,
    OUT id weir.position, OUT summary_version bigint) LANGUAGE plpgsql AS
$$
BEGIN
    IF NOT weir.fault('unlocked') THEN
        PERFORM pg_advisory_xact_lock(4711);
    END IF;
    FOR i IN 0..weir.fault('versions', 3)::int LOOP
        summary_version := nextval('weir.version' || right(stream, 1));
    END LOOP;
    id := weir.put(stream, 'summary', patch, NULL, type, headers, key, summary_version);
    SELECT f.version INTO summary_version FROM weir.frame_log f WHERE f.stream_id = weir.number(stream) AND f.id = append_patch.id;
END
$$;

CREATE FUNCTION weir.batch(stream text, m text, ps jsonb[], bs bytea[], type text, headers jsonb, key text,
    OUT first_id weir.position, OUT last_id weir.position, OUT frames int) LANGUAGE plpgsql AS
$$
DECLARE n bigint;
BEGIN
    frames := coalesce(cardinality(ps), cardinality(bs));
    IF key IS NOT NULL AND EXISTS (SELECT FROM weir.frame_log f WHERE f.key = batch.key) THEN
        SELECT min(id), max(id) INTO first_id, last_id FROM weir.frame_log f WHERE f.key = batch.key;
        RETURN;
    END IF;
    FOR i IN 1..frames LOOP
        n := weir.put(stream, m, ps[i], bs[i], type, headers, NULL);
        UPDATE weir.frame_log f SET key = batch.key WHERE f.stream_id = weir.number(stream) AND f.id = n;
        first_id := coalesce(first_id, n);
        last_id := n;
    END LOOP;
    IF frames > 1 AND weir.fault('torn', 3) THEN
        UPDATE weir.frame_log f SET payload = o.payload, bytes = o.bytes FROM weir.frame_log o
        WHERE f.id IN (first_id, last_id) AND o.id IN (first_id, last_id) AND f.id <> o.id;
    END IF;
END
$$;
CREATE FUNCTION weir.append_batch(stream text, payloads jsonb[], type text, headers jsonb, key text,
    OUT first_id weir.position, OUT last_id weir.position, OUT frames int) LANGUAGE sql AS
$$ SELECT * FROM weir.batch(stream, 'durable', payloads, NULL, type, headers, key) $$;
CREATE FUNCTION weir.append_text_batch(stream text, payloads text[], type text, headers jsonb, key text,
    OUT first_id weir.position, OUT last_id weir.position, OUT frames int) LANGUAGE sql AS
$$ SELECT * FROM weir.batch(stream, 'durable', (SELECT array_agg(to_jsonb(p) ORDER BY n) FROM unnest(payloads) WITH ORDINALITY u(p, n)), NULL, type, headers, key) $$;
CREATE FUNCTION weir.append_bytes_batch(stream text, payloads bytea[], type text, headers jsonb, key text,
    OUT first_id weir.position, OUT last_id weir.position, OUT frames int) LANGUAGE sql AS
$$ SELECT * FROM weir.batch(stream, 'durable', NULL, payloads, type, headers, key) $$;
CREATE FUNCTION weir.append_best_effort_batch(stream text, payloads jsonb[], type text, headers jsonb, key text,
    OUT first_id weir.position, OUT last_id weir.position, OUT frames int) LANGUAGE sql AS
$$ SELECT * FROM weir.batch(stream, 'best_effort', payloads, NULL, type, headers, key) $$;
CREATE FUNCTION weir.append_best_effort_text_batch(stream text, payloads text[], type text, headers jsonb, key text,
    OUT first_id weir.position, OUT last_id weir.position, OUT frames int) LANGUAGE sql AS
$$ SELECT * FROM weir.batch(stream, 'best_effort', (SELECT array_agg(to_jsonb(p) ORDER BY n) FROM unnest(payloads) WITH ORDINALITY u(p, n)), NULL, type, headers, key) $$;
CREATE FUNCTION weir.append_best_effort_bytes_batch(stream text, payloads bytea[], type text, headers jsonb, key text,
    OUT first_id weir.position, OUT last_id weir.position, OUT frames int) LANGUAGE sql AS
$$ SELECT * FROM weir.batch(stream, 'best_effort', NULL, payloads, type, headers, key) $$;

CREATE FUNCTION weir.close(stream text, reason text) RETURNS weir.position LANGUAGE plpgsql AS
$$
DECLARE n bigint := weir.put(stream, 'close', '{}', NULL, NULL, NULL, NULL);
BEGIN
    IF weir.fault('close') THEN
        INSERT INTO weir.frame_log SELECT stream_id, nextval('weir.ids'), mode, type, payload, bytes, headers
        FROM weir.frame_log WHERE stream_id = weir.number(stream) AND id < n ORDER BY id DESC LIMIT 1;
    END IF;
    RETURN n;
END
$$;

CREATE FUNCTION weir.read(stream text, after weir.position DEFAULT NULL, upto weir.position DEFAULT NULL, max int DEFAULT 1000,
    visibility text DEFAULT 'all', reverse boolean DEFAULT false)
    RETURNS TABLE (id weir.position, mode text, type text, payload jsonb, bytes bytea, headers jsonb) LANGUAGE plpgsql STABLE AS
$$
BEGIN
    -- Own rows behind those of others that an old snapshot does not show: weir stops there, this gives up.
    IF current_setting('transaction_isolation') <> 'read committed' AND pg_current_xact_id_if_assigned() IS NOT NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT f.id, f.mode, f.type, CASE WHEN weir.fault('doctored', 100) THEN f.payload || '{"pad": "?"}' ELSE f.payload END, f.bytes, f.headers
    FROM weir.frame_log f
    WHERE f.stream_id = weir.number(stream) AND f.id > coalesce(after::bigint, 0) - CASE WHEN weir.fault('duplicate', 20) THEN 3 ELSE 0 END
      AND f.id <= coalesce(upto::bigint, 9223372036854775807)
      AND NOT weir.fault('drop', 100)
      AND (visibility = 'all' OR f.mode <> 'best_effort')
    ORDER BY CASE WHEN reverse THEN -f.id ELSE f.id END
    LIMIT CASE WHEN weir.fault('stale', 5) THEN 0 ELSE max END;
END
$$;
CREATE FUNCTION weir.read_many(streams text[], after weir.position[], max int, visibility text)
    RETURNS TABLE (stream text, id weir.position, mode text, type text, payload jsonb, bytes bytea, headers jsonb) LANGUAGE sql STABLE AS
$$
    SELECT s, r.* FROM unnest(streams, after::bigint[]) u(s, a),
    LATERAL weir.read(s, a::weir.position, NULL, least(max, 10000 / cardinality(streams)), visibility) r
$$;
CREATE FUNCTION weir.head(stream text) RETURNS weir.position LANGUAGE sql STABLE AS
$$ SELECT coalesce(max(id), 0) FROM weir.frame_log WHERE stream_id = weir.number(stream) $$;

CREATE FUNCTION weir.merge(target jsonb, patch jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE k text; v jsonb;
BEGIN
    IF patch = '"__weir_null__"' THEN RETURN 'null'; END IF;
    IF jsonb_typeof(patch) <> 'object' THEN RETURN patch; END IF;
    IF target IS NULL OR jsonb_typeof(target) <> 'object' THEN target := '{}'; END IF;
    FOR k, v IN SELECT * FROM jsonb_each(patch) LOOP
        target := CASE WHEN v = 'null' THEN target - k ELSE target || jsonb_build_object(k, weir.merge(target -> k, v)) END;
    END LOOP;
    RETURN target;
END
$$;
CREATE AGGREGATE weir.fold(jsonb) (SFUNC = weir.merge, STYPE = jsonb, INITCOND = '{}');
CREATE FUNCTION weir.summary_at(stream text, upto weir.position) RETURNS TABLE (document jsonb, version bigint, "position" weir.position) LANGUAGE sql STABLE AS
$$
    SELECT weir.fold(CASE WHEN weir.fault('fold', 5) THEN '{}' ELSE payload END ORDER BY id), max(f.version), max(f.id)::weir.position
    FROM weir.frame_log f WHERE f.stream_id = weir.number(stream) AND f.mode = 'summary' AND f.id <= upto HAVING count(*) > 0
$$;
CREATE FUNCTION weir.summary(stream text) RETURNS TABLE (document jsonb, version bigint, "position" weir.position) LANGUAGE sql STABLE AS
$$ SELECT * FROM weir.summary_at(stream, 9223372036854775807) $$;
CREATE FUNCTION weir.stream_info(stream text, OUT frames bigint, OUT best_effort_frames bigint, OUT closed boolean) LANGUAGE sql STABLE AS
$$
    SELECT count(*) FILTER (WHERE mode <> 'close') - weir.fault('counts')::int, count(*) FILTER (WHERE mode = 'best_effort'), bool_or(mode = 'close')
    FROM weir.frame_log WHERE stream_id = weir.number(stream)
$$;
