-- SPDX-License-Identifier: PostgreSQL
-- Claim: a role that may use some names pays for those, however many others there are: lists, and what a pattern
-- covers, look only where the patterns of its grants begin, counted page by page.
\getenv tests PG_ABS_SRCDIR
\set pages :tests '/sql/shared/pages.sql'
\i :pages

CREATE ROLE regress_weir_few;
SELECT weir.grant_access('regress_weir_few', 'admin', names) FROM unnest('{few.*,many.few.?,z\\*.*}'::text[]) names;
GRANT EXECUTE ON FUNCTION pg_temp.pages(text) TO PUBLIC;
SELECT count(weir.append(format('few.%s', i), '1')) FROM generate_series(1, 20) i;
SELECT count(weir.append(s, '1')) FROM unnest('{many.few.1,many.few.10,z*.a,z.a}'::text[]) s;
-- Other names, before, between and behind; the list of them all takes thousands of pages, nothing is vacuumed meanwhile.
BEGIN;
SELECT count(weir.create_stream(format('%s.%s', b, i))) FROM unnest('{a,many,zz}'::text[]) b, generate_series(1, 2000) i;
SET LOCAL ROLE regress_weir_few;
SELECT weir.subscribe('access_pages', '*', '-') IS NOT NULL AS subscribed;
SELECT string_agg(stream, ' ' ORDER BY n) FROM weir.list_streams() WITH ORDINALITY l (stream, closed, n) WHERE stream !~ '^few';
SELECT string_agg(stream, ' ' ORDER BY n) FROM weir.list_streams('*.1', after => 'few.1') WITH ORDINALITY l (stream, closed, n);
SELECT stream FROM weir.list_streams(after => 'few.9', max => 2);
SELECT count(*) AS streams FROM weir.fetch('access_pages');
SELECT query, pg_temp.pages(query) < 600 AS few
FROM (VALUES
    ('SELECT weir.list_streams()'),
    ('SELECT weir.list_streams(after => ''few.9'')'),
    ('SELECT weir.fetch(''access_pages'')'),
    ('SELECT weir.drop_streams(''*.nosuch'')')) q (query);
SET LOCAL ROLE NONE;
-- It can be told.
SELECT pg_temp.pages('SELECT weir.list_streams(''a.nosuch*'')') < 600 AS none_there,
       pg_temp.pages('SELECT weir.list_streams()') > 5000 AS many_for_who_has_all;
ROLLBACK;
SELECT weir.revoke_access('regress_weir_few');
DROP ROLE regress_weir_few;
SELECT weir.drop_streams('few.*'), weir.drop_streams('many.*'), weir.drop_streams('z*');
