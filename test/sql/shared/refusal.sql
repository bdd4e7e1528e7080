-- SPDX-License-Identifier: PostgreSQL
-- Tries a call, and says what it left behind when it was refused. One snapshot for both
-- counts: what others do meanwhile does not count.
SET default_transaction_isolation = 'repeatable read';
CREATE FUNCTION pg_temp.row_count() RETURNS bigint LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM weir.frame_log) + (SELECT count(*) FROM weir.frame_best_effort)
         + (SELECT count(*) FROM weir.registry) + (SELECT count(*) FROM weir.idempotency)
         + (SELECT count(*) FROM weir.stream_property) + (SELECT count(*) FROM weir.lease)
$$;
CREATE FUNCTION pg_temp.refusal(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before bigint := pg_temp.row_count();
    state text;
BEGIN
    BEGIN
        EXECUTE 'SELECT * FROM weir.' || call;
        RETURN 'accepted';
    EXCEPTION WHEN others THEN
        state := SQLSTATE;
    END;
    RETURN state || CASE WHEN before <> pg_temp.row_count() THEN ', and left something' ELSE '' END;
END
$$;
