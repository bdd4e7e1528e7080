-- SPDX-License-Identifier: PostgreSQL
-- The tables of FlowFabric's stream append on Postgres, restated from its facts:
-- one row a frame with its fields as one jsonb, a primary key and a second index on
-- the very same columns, and a trigger that notifies for each row. There the table
-- is also hash-partitioned 256 ways; here it is not, which is in its favour.

CREATE TABLE original_frame (
    partition_key smallint NOT NULL,
    execution_id  uuid NOT NULL,
    attempt_index integer NOT NULL,
    ts_ms         bigint NOT NULL,
    seq           integer NOT NULL,
    fields        jsonb NOT NULL,
    mode          text NOT NULL,
    created_at_ms bigint NOT NULL,
    PRIMARY KEY (partition_key, execution_id, attempt_index, ts_ms, seq)
);
CREATE INDEX ON original_frame (partition_key, execution_id, attempt_index, ts_ms, seq);

CREATE FUNCTION original_ring() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    PERFORM pg_notify('original_' || NEW.execution_id || '_' || NEW.attempt_index, NEW.ts_ms || '-' || NEW.seq);
    RETURN NULL;
END
$$;
CREATE TRIGGER original_ring AFTER INSERT ON original_frame FOR EACH ROW EXECUTE FUNCTION original_ring();
