-- SPDX-License-Identifier: PostgreSQL
-- The usual trigger, on the channels that weir would use.

CREATE FUNCTION plain_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('weir:' || NEW.stream_id, NEW.id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER plain_notify AFTER INSERT ON plain_log FOR EACH ROW EXECUTE FUNCTION plain_notify();
