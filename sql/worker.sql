-- SPDX-License-Identifier: PostgreSQL
-- Housekeeping: what weir does by itself, beside its callers.

CREATE FUNCTION weir.housekeep(job text DEFAULT NULL)
    RETURNS TABLE (job text, steps bigint, failures bigint, last_error text)
    AS 'MODULE_PATHNAME', 'weir_housekeep' LANGUAGE C VOLATILE ROWS 8;
COMMENT ON FUNCTION weir.housekeep IS
'Does in this transaction what weir''s worker would do beside it, and returns what was done, a row a job. job: '
'one of weir.housekeeping, which then looks at everything; NULL: what is pending or due. For where no worker can '
'be had (call it now and then, in a transaction of its own, since it keeps its locks until the end of it), with '
'the setting weir.housekeeping off, and for tests. A step that fails is rolled back, reported and tried again '
'later. Waits for nobody but as any writer does. Can be repeated. Errors: 42704 no such job, 25006 on a standby.';

CREATE FUNCTION weir.housekeeping_status()
    RETURNS TABLE (job text, last_run timestamptz, last_success timestamptz, runs bigint, failures bigint,
                   last_error text, next_due timestamptz, pending bigint, looks_at_everything boolean)
    AS 'MODULE_PATHNAME', 'weir_housekeeping_status' LANGUAGE C VOLATILE ROWS 8;
COMMENT ON FUNCTION weir.housekeeping_status IS
'Internal. What the view housekeeping is made of.';

CREATE VIEW weir.housekeeping AS
    SELECT s.job, s.last_run, s.last_success, s.runs, s.failures, s.last_error, s.next_due, s.pending,
           s.looks_at_everything
    FROM weir.housekeeping_status() s;
COMMENT ON VIEW weir.housekeeping IS
'What weir''s worker does in this database beside its callers, since the server started: a row for each job. No '
'call fails or waits for any of it, and what readers see does not depend on it.';
COMMENT ON COLUMN weir.housekeeping.job IS
'checkpoints: counts and documents as of now, so that reading them stays cheap. frames: deletes best-effort '
'frames that fell out. vacuum: takes their space back. lifetimes: drops streams that have ended. names: forgets '
'names of streams dropped a day ago. keys: deletes idempotency keys past their window. clock: keeps the bound of '
'positions ahead of writers. retention: what max_age and max_frames of streams say. leases: writes down which '
'have expired.';
COMMENT ON COLUMN weir.housekeeping.last_run IS
'When a step last ended, well or not. NULL: none has yet.';
COMMENT ON COLUMN weir.housekeeping.last_success IS
'When a step last ended well.';
COMMENT ON COLUMN weir.housekeeping.runs IS
'Steps that were done, those that failed included.';
COMMENT ON COLUMN weir.housekeeping.failures IS
'Steps that failed. Each is tried again, after a second and then ever more rarely, up to once a minute; the '
'server''s log has the first of a row.';
COMMENT ON COLUMN weir.housekeeping.last_error IS
'The last failure''s message, also where the job has succeeded since.';
COMMENT ON COLUMN weir.housekeeping.next_due IS
'When it looks at everything next. NULL: when it is asked to.';
COMMENT ON COLUMN weir.housekeeping.pending IS
'Steps that were asked for and are not done.';
COMMENT ON COLUMN weir.housekeeping.looks_at_everything IS
'Whether it is about to look at everything: more was asked for than there was room to remember, or the server was '
'restarted.';

INSERT INTO weir.privilege (level, name) VALUES
    ('owner', 'housekeep'), ('read', 'housekeeping_status'), ('read', 'housekeeping');
