-- SPDX-License-Identifier: PostgreSQL
-- What every log rests on: a durable bound on the positions handed out, and a
-- mark that a crash or a promotion wipes out. See src/log/README.md.

-- Milliseconds that may have been handed out, as (ms << 20) | timeline. It runs
-- up to a second ahead of the clock; nothing is minted above it.
CREATE SEQUENCE weir.clock MINVALUE 0 START 0;
COMMENT ON SEQUENCE weir.clock IS
'Internal. An upper bound of every position handed out, so that none is given out twice after a crash, a failover or a step back of the clock.';

-- Set as long as nothing unlogged was lost: what weir.clock said when this life
-- of the database first minted.
CREATE UNLOGGED SEQUENCE weir.incarnation MINVALUE 0 START 0;
COMMENT ON SEQUENCE weir.incarnation IS
'Internal. Reset by a crash or a promotion: the next writer then mints above weir.clock.';
