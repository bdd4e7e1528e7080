-- SPDX-License-Identifier: PostgreSQL
-- The registry: the names of all logs, whatever their kind. See src/name/README.md.

-- Rows are inserted and deleted, never updated. Two transactions that create one name
-- at the same time both leave a row, with one id.
CREATE TABLE weir.registry (
    name       text COLLATE "C" NOT NULL,
    id         bigint NOT NULL,
    kind       "char" NOT NULL,
    dropped_at weir.position
);
CREATE INDEX registry_name_idx ON weir.registry (name);
CREATE INDEX registry_id_idx ON weir.registry (id);
CREATE INDEX registry_dropped_at_idx ON weir.registry (dropped_at);
COMMENT ON TABLE weir.registry IS
'Internal. Names, ids and kinds of all logs; s: stream, see the view weir.streams.';

SELECT pg_catalog.pg_extension_config_dump('weir.registry', '');
