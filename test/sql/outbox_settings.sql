-- SPDX-License-Identifier: PostgreSQL
-- Claim: what weir.outbox(), weir.ring() and weir.trim_to() make of a value does not depend on the settings of
-- the session that writes it: digits, styles of dates, intervals and bytes, time zone, currency, search_path.
CREATE SCHEMA os;
CREATE TYPE os.pair AS (at timestamptz, x float8);
CREATE TABLE os.all_types (
    id integer PRIMARY KEY, f4 float4, f8 float8, b bytea, d date, ts timestamp, tz timestamptz, i interval, t timetz,
    m money, r tstzrange, p point, c regclass, a float8[], ta timestamptz[], pair os.pair, plain text[]);
CREATE TRIGGER outbox AFTER INSERT OR DELETE ON os.all_types FOR EACH ROW
    EXECUTE FUNCTION weir.outbox('os', 'headers=tz,i');
CREATE TRIGGER statement AFTER UPDATE ON os.all_types REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION weir.outbox('os');
CREATE TABLE os.source AS SELECT 0.1::float4 + 0.2::float4 AS f4, 0.1::float8 + 0.2::float8 AS f8, '\x00ff'::bytea AS b,
    date '2020-02-29' AS d, timestamp '2020-02-29 12:34:56.789' AS ts, timestamptz '2020-02-29 12:34:56.789+00' AS tz,
    interval '1 year -2 days 03:04:05.6' AS i, timetz '01:02:03+04' AS t, 1234.5::money AS m,
    tstzrange('2020-01-01 00:00+00', '2020-01-02 00:00+00') AS r, point(0.1, 1.0 / 3) AS p, 'os.all_types'::regclass AS c,
    ARRAY[1.0 / 3, 'NaN', '-Infinity', 1e20] AS a, ARRAY[timestamptz '2020-02-29 12:00+00', 'infinity'] AS ta,
    ROW(timestamptz '2020-02-29 12:00+00', 1.0 / 3)::os.pair AS pair, ARRAY['x', 'y'] AS plain;

INSERT INTO os.all_types SELECT 1, s.* FROM os.source s;
UPDATE os.all_types SET id = 2;
DELETE FROM os.all_types;
SET extra_float_digits = -15;
SET bytea_output = 'escape';
SET IntervalStyle = 'sql_standard';
SET DateStyle = 'German, DMY';
SET TimeZone = 'Asia/Kathmandu';
SET search_path = os, public;
SET quote_all_identifiers = on;
INSERT INTO os.all_types SELECT 1, s.* FROM os.source s;
UPDATE os.all_types SET id = 2;
-- The settings are the session's again, also after an error.
SHOW extra_float_digits;
SHOW TimeZone;
SHOW search_path;
ALTER TABLE os.all_types ADD CONSTRAINT positive CHECK (id > 0);
DO $$ BEGIN INSERT INTO os.all_types SELECT -1, s.* FROM os.source s; EXCEPTION WHEN check_violation THEN END $$;
SHOW DateStyle;
DELETE FROM os.all_types;
RESET extra_float_digits;
RESET bytea_output;
RESET IntervalStyle;
RESET DateStyle;
RESET TimeZone;
RESET search_path;
RESET quote_all_identifiers;
SELECT count(*), count(DISTINCT (payload, type, headers)) FROM weir.read('os');
SELECT e.key, e.value FROM weir.read('os', max => 1), jsonb_each(payload->'new') e ORDER BY e.key;
SELECT headers FROM weir.read('os', max => 1);
-- Floating point is read back as it was.
SELECT (payload->'new'->>'f8')::float8 = s.f8 AND (payload->'new'->>'f4')::float4 = s.f4 AS same
FROM weir.read('os', max => 1), os.source s;

-- A value in an argument is read the same way.
CREATE TABLE os.trimmed (at date, n integer);
CREATE TRIGGER trim AFTER INSERT ON os.trimmed FOR EACH ROW
    EXECUTE FUNCTION weir.trim_to('order=n', 'maxlen=1', 'run=1', 'only=at=01/02/2020');
SET DateStyle = 'ISO, DMY';
INSERT INTO os.trimmed SELECT d, i FROM generate_series(1, 3) i, (VALUES (date '2020-01-02'), (date '2020-02-01')) v(d);
SET DateStyle = 'ISO, MDY';
INSERT INTO os.trimmed SELECT d, i FROM generate_series(4, 6) i, (VALUES (date '2020-01-02'), (date '2020-02-01')) v(d);
RESET DateStyle;
SELECT at, count(*) FROM os.trimmed GROUP BY at ORDER BY at;
DROP SCHEMA os CASCADE;
