-- SPDX-License-Identifier: PostgreSQL
--
-- Leases in plpgsql, to try the checker on: slow and simple, with advisory locks
-- held until commit where the real ones hold theirs, and wrong in the ways that
-- `mock.fault` names:
--
--   twice        an epoch is given out again to the next holder
--   below        a forgotten name starts over
--   unheld       the fence is checked, but not held until commit
--   unfenced     a write is not checked at all
--   torn         a write is lost
--   ghost        a write is there twice
--   early        a lease lasts for half of its time
--   stolen       an acquire gets what is held
--   late         a lease is held, used and renewed long after its time
--   lingering    a lapsed lease is said to be held
--   untold       an event is missing
--   retold       an event is there twice
--   unexpired    a reclaim without its expiry
--   error        a call fails for no reason
--
-- One lock a stream, so that its ids commit in order.

CREATE SCHEMA weir;
CREATE DOMAIN weir.position AS bigint;
CREATE SEQUENCE weir.ids;
CREATE TABLE weir.frame (stream text, id bigint PRIMARY KEY, type text, payload jsonb);
CREATE INDEX ON weir.frame (stream, id);
CREATE TABLE weir.lease (name text PRIMARY KEY, epoch bigint, state text, owner text, expires timestamptz, ttl interval, namespace text);
CREATE SEQUENCE weir.floor MINVALUE 0 START 0;

CREATE FUNCTION weir.fault(name text, one_in int DEFAULT 1) RETURNS boolean LANGUAGE sql VOLATILE AS
$$ SELECT coalesce(current_setting('mock.fault', true), '') = name AND random() * one_in < 1 $$;

-- For how much longer than its time something of a lease is believed.
CREATE FUNCTION weir.grace(name text) RETURNS interval LANGUAGE sql VOLATILE AS
$$ SELECT CASE WHEN weir.fault(name) THEN interval '500 ms' ELSE interval '0' END $$;

CREATE FUNCTION weir.put(stream text, type text, payload jsonb) RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE n bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(4711, hashtext(stream));
    n := nextval('weir.ids');
    INSERT INTO weir.frame VALUES (stream, n, type, payload);
    RETURN n;
END $$;

CREATE FUNCTION weir.tell(what text, l weir.lease, previous text DEFAULT NULL, reason text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
    IF weir.fault('untold', 5) OR what = 'expired' AND weir.fault('unexpired', 3) THEN
        RETURN;
    END IF;
    FOR i IN 1 .. CASE WHEN weir.fault('retold', 5) THEN 2 ELSE 1 END LOOP
        PERFORM weir.put('leases/' || l.namespace, what, jsonb_build_object('lease', l.name, 'epoch', l.epoch, 'owner', l.owner,
                                                                          'previous_owner', previous, 'reason', reason));
    END LOOP;
END $$;

CREATE FUNCTION weir.key(name text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT hashtextextended(name, 0) $$;

-- The row as it is now, to be changed by nobody else meanwhile.
CREATE FUNCTION weir.of(which text) RETURNS weir.lease LANGUAGE plpgsql AS
$$
DECLARE l weir.lease;
BEGIN
    SELECT * INTO l FROM weir.lease WHERE lease.name = which FOR UPDATE;
    RETURN l;
END $$;

CREATE FUNCTION weir.refuse(l weir.lease, e bigint, o text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
    IF weir.fault('error', 5) THEN
        RAISE EXCEPTION 'for no reason';
    ELSIF l.name IS NULL OR l.state = 'released' THEN
        RAISE EXCEPTION 'not held' USING ERRCODE = 'WR010';
    ELSIF l.state = 'revoked' THEN
        RAISE EXCEPTION 'revoked' USING ERRCODE = 'WR011';
    ELSIF l.state = 'expired' AND NOT weir.fault('late') OR l.expires <= clock_timestamp() - weir.grace('late') THEN
        RAISE EXCEPTION 'expired' USING ERRCODE = 'WR012';
    ELSIF l.epoch <> e OR l.owner <> o THEN
        RAISE EXCEPTION 'stale' USING ERRCODE = 'WR013';
    END IF;
END $$;

CREATE FUNCTION weir.lease_acquire(which text, o text, t interval, h jsonb, OUT acquired boolean, OUT epoch bigint, OUT held_by text) LANGUAGE plpgsql AS
$$
DECLARE l weir.lease; b text; live boolean; e bigint; why text;
BEGIN
    SELECT * INTO l FROM weir.lease WHERE name = which;
    FOR i IN 1..2 LOOP
        live := l.state = 'held' AND l.expires > clock_timestamp() - weir.grace('lingering') - weir.grace('late');
        IF live AND l.owner <> o AND NOT weir.fault('stolen', 4) THEN
            acquired := false;
            held_by := l.owner;
            RETURN;
        END IF;
        PERFORM pg_advisory_xact_lock(weir.key(which));
        l := weir.of(which);
    END LOOP;
    acquired := true;
    e := CASE WHEN l.name IS NULL THEN (SELECT CASE WHEN weir.fault('below') THEN 0 ELSE last_value END FROM weir.floor) ELSE l.epoch END
         + CASE WHEN l.name IS NOT NULL AND weir.fault('twice', 3) THEN 0 ELSE 1 END;
    IF l.state = 'held' AND NOT live THEN
        PERFORM weir.tell('expired', l);
    END IF;
    b := l.owner;
    why := CASE WHEN live THEN 'acquired again by its owner' WHEN l.state IN ('held', 'expired') THEN 'expired' ELSE l.state END;
    l := ROW(which, e, 'held', o, clock_timestamp() + t / CASE WHEN weir.fault('early') THEN 2 ELSE 1 END, t, h->>'namespace')::weir.lease;
    INSERT INTO weir.lease SELECT l.* ON CONFLICT (name) DO UPDATE SET epoch = l.epoch, state = l.state, owner = l.owner, expires = l.expires, ttl = l.ttl;
    PERFORM weir.tell(CASE WHEN why IN ('expired', 'acquired again by its owner') THEN 'reclaimed' ELSE 'acquired' END, l, b, why);
    epoch := e;
    held_by := o;
END $$;

CREATE FUNCTION weir.lease_renew(which text, o text, e bigint) RETURNS timestamptz LANGUAGE plpgsql AS
$$
DECLARE l weir.lease;
BEGIN
    PERFORM pg_advisory_xact_lock(weir.key(which) # 1); -- one at a time, and before it is in anyone's way
    PERFORM pg_advisory_xact_lock_shared(weir.key(which));
    l := weir.of(which);
    PERFORM weir.refuse(l, e, o);
    l.expires := clock_timestamp() + l.ttl / CASE WHEN weir.fault('early') THEN 2 ELSE 1 END;
    UPDATE weir.lease SET expires = l.expires, state = 'held' WHERE name = which;
    PERFORM weir.tell('renewed', l);
    RETURN l.expires;
END $$;

CREATE FUNCTION weir.lease_release(which text, o text, e bigint) RETURNS boolean LANGUAGE plpgsql AS
$$
DECLARE l weir.lease;
BEGIN
    PERFORM pg_advisory_xact_lock(weir.key(which));
    l := weir.of(which);
    IF l.state = 'released' AND l.epoch = e AND l.owner = o THEN
        RETURN false;
    END IF;
    PERFORM weir.refuse(l, e, o);
    UPDATE weir.lease SET state = 'released' WHERE name = which;
    PERFORM weir.tell('released', l);
    RETURN true;
END $$;

CREATE FUNCTION weir.lease_revoke(which text, b text, why text) RETURNS boolean LANGUAGE plpgsql AS
$$
DECLARE l weir.lease;
BEGIN
    PERFORM pg_advisory_xact_lock(weir.key(which));
    l := weir.of(which);
    IF l.state IS DISTINCT FROM 'held' OR l.expires <= clock_timestamp() THEN
        RETURN false;
    END IF;
    UPDATE weir.lease SET state = 'revoked' WHERE name = which;
    PERFORM weir.tell('revoked', l, NULL, why);
    RETURN true;
END $$;

CREATE FUNCTION weir.lease_sweep() RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE l weir.lease; n bigint := 0;
BEGIN
    FOR l IN SELECT * FROM weir.lease WHERE state = 'held' AND expires <= clock_timestamp() - weir.grace('late') LOOP
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(weir.key(l.name));
        l := weir.of(l.name);
        CONTINUE WHEN l.state <> 'held' OR l.expires > clock_timestamp();
        UPDATE weir.lease SET state = 'expired' WHERE name = l.name;
        PERFORM weir.tell('expired', l);
        n := n + 1;
    END LOOP;
    IF current_setting('weir.lease_retention', true) = '0' THEN
        FOR l IN SELECT * FROM weir.lease WHERE state <> 'held' LOOP
            CONTINUE WHEN NOT pg_try_advisory_xact_lock(weir.key(l.name));
            l := weir.of(l.name);
            CONTINUE WHEN l.state = 'held';
            PERFORM setval('weir.floor', greatest(l.epoch, (SELECT last_value FROM weir.floor)));
            DELETE FROM weir.lease WHERE name = l.name;
        END LOOP;
    END IF;
    RETURN n;
END $$;

CREATE FUNCTION weir.append(stream text, p jsonb, lease text, epoch bigint) RETURNS weir.position LANGUAGE plpgsql AS
$$
DECLARE l weir.lease;
BEGIN
    IF weir.fault('unheld') THEN
        SELECT * INTO l FROM weir.lease x WHERE x.name = append.lease;
        PERFORM weir.refuse(l, epoch);
    ELSIF NOT weir.fault('unfenced', 3) THEN
        PERFORM pg_advisory_xact_lock_shared(weir.key(lease));
        SELECT * INTO l FROM weir.lease x WHERE x.name = append.lease;
        PERFORM weir.refuse(l, epoch);
    END IF;
    IF weir.fault('torn', 4) THEN
        RETURN nextval('weir.ids');
    ELSIF weir.fault('ghost', 4) THEN
        PERFORM weir.put(stream, NULL, p);
    END IF;
    RETURN weir.put(stream, NULL, p);
END $$;

CREATE FUNCTION weir.read(which text, after weir.position DEFAULT 0, max int DEFAULT 1000, reverse boolean DEFAULT false)
    RETURNS TABLE (id weir.position, type text, payload jsonb) LANGUAGE sql AS
$$ SELECT f.id::weir.position, f.type, f.payload FROM weir.frame f WHERE f.stream = which AND f.id > after
   ORDER BY CASE WHEN reverse THEN -f.id ELSE f.id END LIMIT max $$;
