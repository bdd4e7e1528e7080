-- SPDX-License-Identifier: PostgreSQL
-- What every log rests on: a durable bound on the positions assigned, and the lives
-- of the database. See src/log/README.md and src/log/life.hpp.

-- Milliseconds that may have been assigned, as (ms << 20) | where it was set. It runs
-- up to a second ahead of the clock; nothing is minted above it.
CREATE SEQUENCE weir.clock MINVALUE 0 START 0;
COMMENT ON SEQUENCE weir.clock IS
'Internal. An upper bound of every position assigned, so that none is given out twice after a crash, a failover '
'or a step back of the clock.';
SELECT pg_catalog.setval('weir.clock', (s.system_identifier OPERATOR(pg_catalog.#) d.oid::bigint OPERATOR(pg_catalog.#)
                                        'weir.clock'::regclass::oid::bigint) OPERATOR(pg_catalog.&) 1048575)
    FROM pg_catalog.pg_control_system() s, pg_catalog.pg_database d
    WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database();

-- The number of the life that is under way, as long as nothing unlogged was lost.
CREATE UNLOGGED SEQUENCE weir.incarnation MINVALUE 0 START 0;
COMMENT ON SEQUENCE weir.incarnation IS
'Internal. Reset by a crash or a promotion: the next writer then begins another life of the database.';

-- Written by C, once for each life, and frozen: seen by everyone at once.
CREATE TABLE weir.life (
    number            bigint PRIMARY KEY,
    cause             "char" NOT NULL,
    began_above       weir.position NOT NULL,
    began_at          timestamptz NOT NULL,
    timeline          bigint NOT NULL,
    system_identifier bigint NOT NULL,
    database          oid NOT NULL,
    clock             oid NOT NULL,
    ids               bigint NOT NULL
);
COMMENT ON TABLE weir.life IS
'Internal. The lives of the database; see the view weir.lives.';

-- Of every thing that has one. Each life begins with 31 bits that are drawn.
CREATE SEQUENCE weir.id_seq;
COMMENT ON SEQUENCE weir.id_seq IS
'Internal. Ids of streams, subscriptions and whatever else needs one.';

SELECT pg_catalog.pg_extension_config_dump('weir.clock', '');
SELECT pg_catalog.pg_extension_config_dump('weir.life', '');
SELECT pg_catalog.pg_extension_config_dump('weir.id_seq', '');

CREATE VIEW weir.lives AS
    SELECT l.number,
           CASE WHEN l.cause OPERATOR(pg_catalog.=) 'f' THEN 'first'
                WHEN l.cause OPERATOR(pg_catalog.=) 'c' THEN 'crash'
                WHEN l.cause OPERATOR(pg_catalog.=) 'p' THEN 'promotion'
                WHEN l.cause OPERATOR(pg_catalog.=) 'r' THEN 'restore'
                WHEN l.cause OPERATOR(pg_catalog.=) 'u' THEN 'upgrade' END AS cause,
           l.began_above, l.began_at
    FROM weir.life l;

COMMENT ON VIEW weir.lives IS
'The lives of the database. A crash, a promotion and a restore begin a new one, in which what was assigned last '
'before may be missing; its row is written by whoever writes first. A cursor from a life that is over, and on '
'something that was lost, is told so (WR003).';
COMMENT ON COLUMN weir.lives.number IS
'Counted from 1.';
COMMENT ON COLUMN weir.lives.cause IS
'first: the extension was created. crash: of this server; best-effort frames were lost, and what was committed '
'with synchronous_commit off. promotion: of a standby, or the end of a point-in-time recovery; what the old '
'server wrote last may be missing. restore: of a dump, or a copy of the database. upgrade: pg_upgrade.';
COMMENT ON COLUMN weir.lives.began_above IS
'Everything that was assigned in lives before lies at or below it, all that is assigned in this one above.';
COMMENT ON COLUMN weir.lives.began_at IS
'When the life was first written in.';

INSERT INTO weir.privilege (level, name) VALUES ('read', 'lives');
