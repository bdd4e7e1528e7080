-- SPDX-License-Identifier: PostgreSQL
-- What one would keep leases in otherwise: a row each, taken and renewed by an UPDATE
-- that says in its condition whether it may.

CREATE TABLE plain_lease (
    name       text COLLATE "C" PRIMARY KEY,
    epoch      bigint NOT NULL DEFAULT 0,
    owner      text,
    ttl        interval,
    expires_at timestamptz,
    renewed_at timestamptz
) WITH (fillfactor = 50);
INSERT INTO plain_lease (name) SELECT 'job-' || i FROM generate_series(1, 10000) i;
