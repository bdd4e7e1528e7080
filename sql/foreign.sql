-- SPDX-License-Identifier: PostgreSQL
-- What others put into weir's tables: see src/log/foreign.hpp. The last of the tables'
-- files, so that it covers them all.

CREATE FUNCTION weir.skip_replicated() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_skip_replicated' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.skip_replicated IS
'Internal. Trigger of weir''s own tables: leaves out what logical replication brings.';

CREATE FUNCTION weir.refuse_restored() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_refuse_restored' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.refuse_restored IS
'Internal. Trigger of weir''s own tables: refuses rows of a dump where weir has been used.';

CREATE FUNCTION weir.refuse_restored_name() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_refuse_restored_name' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.refuse_restored_name IS
'Internal. Likewise for names, which must not meet.';

INSERT INTO weir.privilege (level, name) VALUES
    ('owner', 'skip_replicated'), ('owner', 'refuse_restored'), ('owner', 'refuse_restored_name');

DO $$
DECLARE
    relation record;
BEGIN
    FOR relation IN
        SELECT c.oid::regclass AS name, c.relname, c.oid = ANY (e.extconfig) AS is_dumped
        FROM pg_class c, pg_extension e
        WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind = 'r' AND c.relpersistence = 'p'
          AND e.extname = 'weir'
    LOOP
        EXECUTE format('CREATE TRIGGER skip_replicated BEFORE INSERT OR UPDATE OR DELETE ON %s'
                       ' FOR EACH ROW EXECUTE FUNCTION weir.skip_replicated()', relation.name);
        EXECUTE format('ALTER TABLE %s ENABLE REPLICA TRIGGER skip_replicated', relation.name);
        IF relation.is_dumped THEN
            EXECUTE format('CREATE TRIGGER refuse_restored BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION weir.%I()',
                           relation.name,
                           CASE relation.relname WHEN 'registry' THEN 'refuse_restored_name'
                           ELSE 'refuse_restored' END);
        END IF;
    END LOOP;
END
$$;

-- The one table without a primary key: two transactions may enter a name at the same time.
ALTER TABLE weir.registry REPLICA IDENTITY FULL;
