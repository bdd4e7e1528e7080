-- SPDX-License-Identifier: PostgreSQL
-- The tables of the fuzzer, made and made anew by fz_build(). Each invariant that
-- fz_wrong() looks at holds in every snapshot, whatever DDL runs beside the inserts.
CREATE SCHEMA fz;
CREATE SCHEMA fz2;
CREATE SCHEMA IF NOT EXISTS fz_keep;

CREATE DOMAIN fz.d_text AS text CHECK (VALUE <> 'never');
CREATE TYPE fz.c_pair AS (a integer, b text);
CREATE TYPE fz.e_word AS ENUM ('a', 'b');
CREATE SEQUENCE fz_keep.n;

-- A log of patches and its documents; each patch sets a member of its own, so that their order does not matter.
CREATE PROCEDURE fz_keep.build_merge(i integer, key_type text, turned boolean) LANGUAGE plpgsql AS $$
DECLARE s text := (ARRAY['fz', 'fz2'])[1 + (random() < 0.3)::integer];
BEGIN
    -- DROP looks names up one by one: of a pair moved meanwhile it would find the documents only.
    PERFORM pg_advisory_xact_lock(i);
    EXECUTE format('DROP TABLE IF EXISTS fz.log_%1$s, fz2.log_%1$s, fz.doc_%1$s, fz2.doc_%1$s', i);
    EXECUTE format(CASE WHEN turned THEN 'CREATE TABLE %s.log_%s (patch jsonb, n bigint, k %s)'
                   ELSE 'CREATE TABLE %s.log_%s (k %3$s, patch jsonb, n bigint)' END, s, i, key_type);
    EXECUTE format(CASE WHEN turned THEN 'CREATE TABLE %s.doc_%s (version bigint, document jsonb, k %s PRIMARY KEY)'
                   ELSE 'CREATE TABLE %s.doc_%s (k %3$s PRIMARY KEY, document jsonb, version bigint)' END, s, i, key_type);
    EXECUTE format('CREATE TRIGGER m AFTER INSERT ON %s.log_%2$s FOR EACH ROW'
        ' EXECUTE FUNCTION weir.merge_patch_into(''doc_%2$s'', ''key=k'', ''version=version'')', s, i);
END $$;

-- Rows that have a digest of their number: what an event says can be told from what was inserted.
CREATE PROCEDURE fz_keep.build_rows(i integer, key_type text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS fz.rows_%1$s', i);
    EXECUTE format('CREATE TABLE fz.rows_%s (k %s, id weir.position, n bigint, digest text, pair fz.c_pair, word fz.e_word)',
                   i, key_type);
    EXECUTE format('CREATE UNIQUE INDEX rows_%1$s_k_id ON fz.rows_%1$s (k, id)', i);
    EXECUTE format('CREATE TRIGGER a BEFORE INSERT ON fz.rows_%s FOR EACH ROW'
        ' EXECUTE FUNCTION weir.mint(''column=id'', ''key=k'')', i);
    EXECUTE format('CREATE TRIGGER b AFTER INSERT ON fz.rows_%1$s FOR EACH ROW'
        ' EXECUTE FUNCTION weir.outbox(''fz.rows'', ''key=n'')', i);
    EXECUTE format('CREATE TRIGGER c AFTER INSERT ON fz.rows_%s FOR EACH ROW'
        ' EXECUTE FUNCTION weir.trim_to(''key=k'', ''order=id'', ''maxlen=5'', ''run=1'')', i);
    EXECUTE format('CREATE TRIGGER d AFTER INSERT OR DELETE ON fz.rows_%s FOR EACH ROW'
        ' EXECUTE FUNCTION weir.ring(''fz'', ''k'')', i);
END $$;

CREATE PROCEDURE fz_keep.build_parts() LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS fz.parts, fz.parts_1, fz.parts_2;
    CREATE TABLE fz.parts (k integer, id weir.position, n bigint, digest text) PARTITION BY LIST (k);
    CREATE TABLE fz.parts_1 PARTITION OF fz.parts FOR VALUES IN (1);
    CREATE TABLE fz.parts_2 (digest text, n bigint, id weir.position, k integer);
    ALTER TABLE fz.parts ATTACH PARTITION fz.parts_2 FOR VALUES IN (2);
    CREATE UNIQUE INDEX parts_k_id ON fz.parts (k, id);
    CREATE TRIGGER a BEFORE INSERT ON fz.parts FOR EACH ROW EXECUTE FUNCTION weir.mint('column=id', 'key=k');
    CREATE TRIGGER b AFTER INSERT ON fz.parts FOR EACH ROW EXECUTE FUNCTION weir.outbox('fz.rows', 'key=n');
    CREATE TRIGGER c AFTER INSERT ON fz.parts FOR EACH ROW
        EXECUTE FUNCTION weir.trim_to('key=k', 'order=id', 'maxlen=5', 'run=1');
END $$;

CREATE PROCEDURE fz_keep.drop_all() LANGUAGE plpgsql AS $$
DECLARE t regclass;
BEGIN
    FOR t IN SELECT c.oid FROM pg_class c WHERE c.relnamespace IN ('fz'::regnamespace, 'fz2'::regnamespace)
        AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS %s', t);
    END LOOP;
END $$;

CREATE PROCEDURE fz_keep.build() LANGUAGE plpgsql AS $$
BEGIN
    CALL fz_keep.build_merge(1, 'integer', false);
    CALL fz_keep.build_merge(2, 'numeric', true);
    CALL fz_keep.build_rows(1, 'integer');
    CALL fz_keep.build_rows(2, 'text');
    CALL fz_keep.build_parts();
END $$;
CALL fz_keep.build();
