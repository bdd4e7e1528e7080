-- SPDX-License-Identifier: PostgreSQL
-- The doorbell: wakeups for readers, and notifications that cost the writer nothing.

CREATE FUNCTION weir.channel(stream text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'weir_channel' LANGUAGE C STABLE;
COMMENT ON FUNCTION weir.channel IS
'The channel on which a stream''s notifications come, for LISTEN. The payload is the newest position given out: a '
'hint, which anybody could have sent, to read from one''s own cursor, sent after commit, and after a rollback '
'that may have held others up; rings close to each other come as one. Readers look now and then without one as '
'well: COMMIT PREPARED sends none. stream NULL: the channel on which notifications of all streams of the database '
'come. Its payload is a JSON object of the streams that rang, each with its newest position; several '
'notifications where one is too short. An empty payload: anything may have changed; with weir.all_streams_channel '
'= empty it always is, since anybody who may connect may listen. Errors: 22023, 54000, 42501.';

CREATE FUNCTION weir.notify(channel text, payload text DEFAULT '') RETURNS void
    AS 'MODULE_PATHNAME', 'weir_notify' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.notify IS
'As pg_notify(), but sent by weir''s worker after the transaction commits, so that notifying transactions do not '
'wait for each other. Equal notifications close to each other may come as one. Not sent where the transaction '
'ends in PREPARE TRANSACTION. In the transaction itself where weir.doorbell is not worker, no worker can be had, '
'channel and payload together exceed 238 bytes, a transaction sends more than 32, or too many are waiting. '
'channel: 1 to 63 bytes. payload: up to 7999 bytes, NULL as empty. A retry notifies again. Errors: 22004 NULL '
'channel, 22023 empty channel, 54000, 25006 on a standby.';

CREATE FUNCTION weir.ring() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_ring' LANGUAGE C;
COMMENT ON FUNCTION weir.ring IS
'Trigger: weir.notify() after any change. Arguments: the channel, and for a row trigger, if wanted, the column '
'whose value becomes the payload, as text in ISO styles and UTC. AFTER INSERT, UPDATE, DELETE or TRUNCATE, for '
'each row or statement. Those who change the table need no rights on weir. Errors: 39P01 misuse, 42703 no such '
'column, 54000 payload too long.';

CREATE PROCEDURE weir.wait(stream text DEFAULT NULL, after weir.position DEFAULT NULL,
                           timeout interval DEFAULT '30 seconds', subscription text DEFAULT NULL,
                           INOUT ready boolean DEFAULT NULL, INOUT reason text DEFAULT NULL)
    AS 'MODULE_PATHNAME', 'weir_wait' LANGUAGE C;
COMMENT ON PROCEDURE weir.wait IS
'Sleeps until what comes next would be given to a reader, and returns ready true with reason frames: of a stream '
'behind a cursor (after; NULL: from the start, as read() does), or of a subscription, with its filter, in any of '
'its streams, as fetch() does. Else ready is false and reason says why it did not wait on: timeout (0 or more; '
'the time went by), closed (the cursor stands behind the end, nothing will ever come; of a subscription: in all '
'of its streams, none of which is a pattern), dropped (the stream was, behind the cursor; a reader that goes on '
'with what may be made under that name waits with after NULL), expired (the cursor has missed something: read() '
'and fetch() raise WR004). Holds no snapshot, lock or transaction id while it waits, so call it outside of a '
'transaction block. In a procedure it ends the transaction before it, and locks such as that of fetch() with it, '
'and begins another; it is refused where that one has written, emitted or notified. Is not ended by '
'transaction_timeout; by statement_timeout it is, as any statement. A session that also listens gets no '
'notifications while it waits; works through a transaction pooler, and on a standby, where it looks every 20 ms '
'whether something was replayed. Everywhere it looks every weir.poll_interval without being woken, and each 100 '
'ms for streams that a pattern may match. Goes by a clock that is never set. Can be cancelled; safe to retry. '
'Errors: 25001 in a transaction block, or with something to commit, 42704 no such subscription, 42501 it is '
'another role''s, WR003 the cursor lies ahead of the log, 22004, 22023, 54000.';

CREATE PROCEDURE weir.wait_many(streams text[] DEFAULT NULL, after weir.position[] DEFAULT NULL,
                                timeout interval DEFAULT '30 seconds', subscriptions text[] DEFAULT NULL,
                                INOUT ready boolean DEFAULT NULL, INOUT reason text DEFAULT NULL,
                                INOUT name text DEFAULT NULL)
    AS 'MODULE_PATHNAME', 'weir_wait_many' LANGUAGE C;
COMMENT ON PROCEDURE weir.wait_many IS
'As wait(), until there is an answer for one of several streams or subscriptions; after[i] is the cursor of '
'streams[i], and name tells which one it is, NULL at a timeout. Others may be ready as well. Further errors: '
'22023 arrays that differ in length, or nothing to wait for, 22004 NULL name.';

CREATE FUNCTION weir.list_blockers() RETURNS TABLE (log text, "position" weir.position, xid xid)
    AS 'MODULE_PATHNAME', 'weir_list_blockers' LANGUAGE C VOLATILE ROWS 10;
COMMENT ON FUNCTION weir.list_blockers IS
'Internal. What the view blockers is made of.';

CREATE VIEW weir.blockers AS
    SELECT b.log, b."position", a.pid, b.xid, p.gid,
           pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) coalesce(p.prepared, a.xact_start) AS age,
           a.usename, a.application_name, a.state, a.query
    FROM weir.list_blockers() b
    LEFT JOIN pg_catalog.pg_stat_activity a ON a.backend_xid OPERATOR(pg_catalog.=) b.xid
    LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction OPERATOR(pg_catalog.=) b.xid;

COMMENT ON VIEW weir.blockers IS
'Who keeps readers of which stream from going on: the first frame of each stream whose transaction is still '
'running. Cheap while nobody is writing, else a look at each stream. Query and state of others'' sessions are '
'shown to those who may see them in pg_stat_activity.';
COMMENT ON COLUMN weir.blockers.log IS
'The stream.';
COMMENT ON COLUMN weir.blockers."position" IS
'The first position that is not settled; readers stop before it.';
COMMENT ON COLUMN weir.blockers.pid IS
'The session whose transaction it is. NULL for a prepared one, and on a standby.';
COMMENT ON COLUMN weir.blockers.xid IS
'The transaction, a top-level one.';
COMMENT ON COLUMN weir.blockers.gid IS
'Where the transaction is prepared: its name, for COMMIT PREPARED or ROLLBACK PREPARED.';
COMMENT ON COLUMN weir.blockers.age IS
'Since the transaction began, or was prepared.';
COMMENT ON COLUMN weir.blockers.usename IS
'The session''s role.';
COMMENT ON COLUMN weir.blockers.application_name IS
'The session''s application_name.';
COMMENT ON COLUMN weir.blockers.state IS
'The session''s state: "idle in transaction" is the one to look out for.';
COMMENT ON COLUMN weir.blockers.query IS
'What the session is running, or ran last.';

CREATE FUNCTION weir.doorbell_status(OUT worker_pid integer, OUT worker_available boolean, OUT rings bigint,
                                     OUT sent bigint,
                                     OUT coalesced bigint, OUT looked_at_everything bigint, OUT notified bigint,
                                     OUT notified_in_commit bigint, OUT worker_starts bigint, OUT failures bigint,
                                     OUT held_back bigint, OUT shared_memory boolean)
    AS 'MODULE_PATHNAME', 'weir_doorbell_status' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.doorbell_status IS
'Internal. What the view doorbell is made of.';

CREATE VIEW weir.doorbell AS
    SELECT pg_catalog.current_setting('weir.doorbell') AS mode, s.worker_pid, s.worker_available, s.rings, s.sent,
           s.coalesced,
           s.looked_at_everything, s.notified, s.notified_in_commit, s.worker_starts, s.failures, s.held_back,
           s.shared_memory
    FROM weir.doorbell_status() s;

COMMENT ON VIEW weir.doorbell IS
'What the doorbell of this database did since the server started: one row.';
COMMENT ON COLUMN weir.doorbell.mode IS
'The setting weir.doorbell, as this session has it.';
COMMENT ON COLUMN weir.doorbell.worker_pid IS
'The worker, NULL while none runs: it leaves after two idle seconds.';
COMMENT ON COLUMN weir.doorbell.worker_available IS
'Whether a worker runs or could be started now. False for ten seconds after one could not be, and for a while '
'after one failed.';
COMMENT ON COLUMN weir.doorbell.rings IS
'Ends of transactions and of rolled-back savepoints that settled something, one for each stream.';
COMMENT ON COLUMN weir.doorbell.sent IS
'Notifications sent on the channels of streams.';
COMMENT ON COLUMN weir.doorbell.coalesced IS
'Rings that were covered by a notification not yet sent.';
COMMENT ON COLUMN weir.doorbell.looked_at_everything IS
'Times that more streams rang than there was room for, and all were looked at instead.';
COMMENT ON COLUMN weir.doorbell.notified IS
'Notifications of weir.notify() and weir.ring() that the worker sent.';
COMMENT ON COLUMN weir.doorbell.notified_in_commit IS
'Transactions that had to notify by themselves: no worker, or weir.doorbell = transaction.';
COMMENT ON COLUMN weir.doorbell.worker_starts IS
'Workers started.';
COMMENT ON COLUMN weir.doorbell.failures IS
'Workers that could not be started, failed or were terminated.';
COMMENT ON COLUMN weir.doorbell.held_back IS
'Rounds put off since the server''s queue of notifications, or the disk under it, was nearly full, or had just '
'failed.';
COMMENT ON COLUMN weir.doorbell.shared_memory IS
'Whether there is dynamic shared memory for it. If not, all streams are looked at instead of those that rang, '
'weir.wait() polls, and weir.notify() is a NOTIFY; it is tried again every ten seconds.';

INSERT INTO weir.privilege (level, name) VALUES
    ('read', 'channel'), ('read', 'wait'), ('read', 'wait_many'), ('read', 'blockers'), ('read', 'list_blockers'),
    ('read', 'doorbell'),
    ('read', 'doorbell_status'), ('write', 'notify'), ('write', 'ring');
