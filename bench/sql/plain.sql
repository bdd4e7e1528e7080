-- SPDX-License-Identifier: PostgreSQL
-- What a user without weir would write: tables with the columns, widths and key of
-- weir.frame_log and weir.frame_best_effort. The id comes from an identity column with the
-- default cache: the cheapest usual way (a clock expression costs more, and a
-- larger cache gives each connection a range of its own, so that ids no longer
-- even nearly follow time). On the unlogged table the sequence is unlogged too.

CREATE TABLE plain_log (
    stream_id bigint NOT NULL,
    id        bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    ordinal   bigint NOT NULL,
    version   bigint NOT NULL,
    mode      "char" NOT NULL,
    type      text,
    payload   jsonb,
    bytes     bytea,
    headers   jsonb,
    PRIMARY KEY (stream_id, id)
);

CREATE UNLOGGED TABLE plain_best_effort (
    stream_id    bigint NOT NULL,
    id           bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    ordinal      bigint NOT NULL,
    floor        bigint NOT NULL,
    rate         float8 NOT NULL,
    window_start bigint NOT NULL,
    window_count bigint NOT NULL,
    maxlen       integer NOT NULL,
    ttl_ms       integer NOT NULL,
    type         text,
    payload      jsonb,
    bytes        bytea,
    headers      jsonb,
    PRIMARY KEY (stream_id, id)
);
