-- SPDX-License-Identifier: PostgreSQL
-- Claim: bad input to a lease call gets a clear error with its SQLSTATE, whichever
-- argument it is in, and leaves nothing behind.
\getenv tests PG_ABS_SRCDIR
\set refusal :tests '/sql/shared/refusal.sql'
\i :refusal

-- Names, owners and who revokes.
SELECT split_part(call, '(', 1) AS function, string_agg(pg_temp.refusal(format(call, v.name)), ' ' ORDER BY o) AS null_empty_blank_tabs_long_longer
FROM (VALUES (1, 'lease_acquire(%s, ''o'')'), (2, 'lease_renew(%s, ''o'', 1)'), (3, 'lease_release(%s, ''o'', 1)'), (4, 'lease_check(%s, 1)'), (5, 'lease_revoke(%s, ''b'')')) c(n, call),
     (VALUES (1, 'NULL::text'), (2, ''''''), (3, '''   '''), (4, 'E''\t\n\r '''), (5, 'repeat(''x'', 513)'), (6, 'repeat(''x'', 1000000)')) v(o, name)
GROUP BY n, call ORDER BY n;
SELECT split_part(call, '(', 1) AS function, string_agg(pg_temp.refusal(format(call, v.name)), ' ' ORDER BY o) AS null_empty_long
FROM (VALUES (1, 'lease_acquire(''limits.l'', %s)'), (2, 'lease_renew(''limits.l'', %s, 1)'), (3, 'lease_release(''limits.l'', %s, 1)'), (4, 'lease_revoke(''limits.l'', %s)')) c(n, call),
     (VALUES (1, 'NULL::text'), (2, ''''''), (3, 'repeat(''x'', 513)')) v(o, name)
GROUP BY n, call ORDER BY n;
SELECT weir.lease_acquire(NULL, 'o');
SELECT weir.lease_acquire(' ', 'o');
SELECT weir.lease_acquire(repeat('x', 513), 'o');
SELECT weir.lease_acquire('limits.l', NULL);
SELECT weir.lease_acquire('limits.l', '');
SELECT weir.lease_acquire('limits.l', repeat('x', 513));
SELECT weir.lease_revoke('limits.l', NULL);

-- Time to live: from a millisecond to a day.
SELECT ttl, pg_temp.refusal(format('lease_acquire(''limits.l'', ''o'', %L)', ttl)) AS acquire, pg_temp.refusal(format('lease_renew(''limits.l'', ''o'', 1, %L)', ttl)) AS renew
FROM (VALUES ('0'), ('-1 second'), ('999 microseconds'), ('1 year'), ('1 month'), ('-1 month 31 days'), ('2 days'), ('1 day 1 microsecond'), ('24:00:00.000001'), ('178000000 years'), ('-178000000 years'),
             ('1 day -25 hours'), ('-1 day'), ('2147483647 days'), ('-2147483648 days 2562047788:00:54.775807')) v(ttl);
SELECT weir.lease_acquire('limits.l', 'o', '0');
SELECT weir.lease_acquire('limits.l', 'o', NULL);
SELECT ttl, (SELECT acquired FROM weir.lease_acquire('limits.' || ttl, 'o', ttl::interval)) FROM (VALUES ('1 millisecond'), ('1 day'), ('24 hours'), ('1 day -1 hour')) v(ttl);

-- Epochs, reasons, how many.
SELECT pg_temp.refusal('lease_renew(''limits.1 day'', ''o'', NULL)') AS renew, pg_temp.refusal('lease_release(''limits.1 day'', ''o'', NULL)') AS release, pg_temp.refusal('lease_check(''limits.1 day'', NULL)') AS checked,
       pg_temp.refusal('lease_renew(''limits.1 day'', ''o'', -9223372036854775808)') AS least, pg_temp.refusal('lease_renew(''limits.1 day'', ''o'', 9223372036854775807)') AS greatest;
SELECT pg_temp.refusal('lease_revoke(''limits.1 day'', ''b'', repeat(''x'', 8193))') AS revoke, pg_temp.refusal('lease_release(''limits.1 day'', ''o'', 1, repeat(''x'', 8193))') AS release;
SELECT weir.lease_revoke('limits.1 day', 'b', repeat('x', 8193));
SELECT weir.lease_revoke('limits.1 day', 'b', repeat('x', 8192)), weir.lease_revoke('limits.24 hours', 'b', '');
SELECT weir.lease_renew('limits.1 day', 'o', 1);
SELECT string_agg(pg_temp.refusal(format('lease_sweep(%s)', n)), ' ' ORDER BY o) AS "null, 0, -1, 100001" FROM (VALUES (1, 'NULL'), (2, '0'), (3, '-1'), (4, '100001')) v(o, n);
SELECT weir.lease_sweep(0);

-- Names are bytes, not what they look like; text of any kind goes through to the history.
SELECT acquired FROM weir.lease_acquire('limits.É', E'o"\\\n');
SELECT acquired FROM weir.lease_acquire('limits.é', 'o');
SELECT acquired FROM weir.lease_acquire('limits.é ', 'o');
SELECT acquired FROM weir.lease_acquire(rpad('limits.', 512, 'x'), repeat('o', 512), headers => jsonb_build_object('namespace', repeat('n', 505)));
SELECT payload->>'owner' = E'o"\\\n' AS kept FROM weir.read('leases', headers => '{"lease": "limits.É"}');
SET weir.max_name_bytes = 16;
SELECT weir.lease_acquire('limits.sixteen..', 'o') IS NOT NULL AS sixteen;
SELECT weir.lease_acquire('limits.seventeen.', 'o');
RESET weir.max_name_bytes;
-- The wording is the server's.
\set VERBOSITY sqlstate
SET weir.lease_retention = -1;
SET weir.lease_retention = '367 days';
\set VERBOSITY default
