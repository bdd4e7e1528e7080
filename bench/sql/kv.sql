-- SPDX-License-Identifier: PostgreSQL
-- What people make by hand: a row a key, with a version.
CREATE TABLE plain_kv (
    key     text COLLATE "C" PRIMARY KEY,
    value   jsonb NOT NULL,
    version bigint NOT NULL DEFAULT 1
);
INSERT INTO plain_kv SELECT 'key-' || i, '{"line":"[ 42%] Building CXX object, a hundred bytes"}' FROM generate_series(1, 10000) i;
SELECT weir.kv_put_many('bench', ARRAY(SELECT 'key-' || i FROM generate_series(1, 10000) i),
                        ARRAY(SELECT '{"line":"[ 42%] Building CXX object, a hundred bytes"}'::jsonb FROM generate_series(1, 10000)));
