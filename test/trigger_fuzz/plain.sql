-- SPDX-License-Identifier: PostgreSQL
-- What stands in for weir's triggers in a control run of the fuzzer.
CREATE SCHEMA IF NOT EXISTS fz_keep;
CREATE FUNCTION fz_keep.plain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_WHEN = 'BEFORE' THEN
        NEW.id := nextval('fz_keep.n')::weir.position;
        RETURN NEW;
    ELSIF TG_ARGV[0] LIKE 'doc%' THEN
        EXECUTE format('INSERT INTO %1$I AS d (k, document, version) SELECT ($1).k, ($1).patch, 1
            ON CONFLICT (k) DO UPDATE SET document = d.document || excluded.document, version = d.version + 1',
            TG_ARGV[0]) USING NEW;
    ELSIF TG_ARGV[0] LIKE 'key=k' AND TG_OP = 'INSERT' THEN
        EXECUTE format('DELETE FROM %1$s WHERE k = ($1).k AND id::bigint <
            (SELECT max(id::bigint) FROM %1$s WHERE k = ($1).k)', TG_RELID::regclass) USING NEW;
    END IF;
    RETURN NULL;
END $$;
