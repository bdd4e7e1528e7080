-- SPDX-License-Identifier: PostgreSQL
-- The classic outbox: a table that grows by identity, and a trigger that notifies for
-- each row.

CREATE TABLE outbox (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    stream   text NOT NULL,
    type    text NOT NULL,
    payload jsonb NOT NULL
);
CREATE FUNCTION outbox_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(NEW.stream, NEW.id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER outbox_notify AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_notify();
