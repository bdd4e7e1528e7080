-- SPDX-License-Identifier: PostgreSQL
-- Claim: what a trim has taken is not walked again. Before anybody has vacuumed it, whatever reads
-- the stream touches as many pages as what is left takes, counted page by page.

\getenv tests PG_ABS_SRCDIR
\set pages :tests '/sql/shared/pages.sql'
\i :pages

-- Nothing is vacuumed meanwhile: the dead rows are those of this session's own transaction.
BEGIN;
SELECT frames FROM generate_series(1, 4) n, weir.append_batch('trimmed', array_fill(to_jsonb(n), ARRAY[5000]));
SELECT frames FROM weir.append_batch('short', array_fill('1'::jsonb, ARRAY[10]));
SELECT weir.trim('trimmed', keep => 10);
SELECT weir.subscribe('pages', 'trimmed', '-') IS NOT NULL AS subscribed;

-- As many as for a stream of ten frames, and a few more.
SELECT query, pg_temp.pages(query) < 100 AS few
FROM (VALUES
    ('SELECT weir.read(''trimmed'')'),
    ('SELECT weir.read(''trimmed'', reverse => true)'),
    ('SELECT weir.read(''trimmed'', since => ''2000-01-01'')'),
    ('SELECT weir.read_many(''{trimmed,short}'')'),
    ('SELECT weir.head(''trimmed'')'),
    ('SELECT weir.stream_info(''trimmed'')'),
    ('SELECT weir.fetch(''pages'')'),
    ('SELECT weir.trim(''trimmed'', keep => 100)'),
    ('SELECT weir.trim(''trimmed'', keep => 5)')) q (query);
SELECT count(*) FROM weir.read('trimmed');

-- A close mark stays below nothing that was trimmed, so it is still read.
SELECT weir.close('trimmed', 'done') IS NOT NULL AS closed;
SELECT weir.trim('trimmed', keep => 0);
SELECT mode, payload FROM weir.read('trimmed');
SELECT pg_temp.pages('SELECT weir.read(''trimmed'')') < 100 AS few,
       pg_temp.pages('SELECT weir.drop_stream(''trimmed'')') < 300 AS few_to_drop;
ROLLBACK;
