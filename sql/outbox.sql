-- SPDX-License-Identifier: PostgreSQL
-- The outbox: events minted as their transaction commits, and durable subscriptions
-- to the streams they go to.

CREATE TABLE weir.subscription (
    name            text COLLATE "C" PRIMARY KEY,
    subscription_id bigint NOT NULL,
    streams          text[] COLLATE "C" NOT NULL,
    types           text[] COLLATE "C",
    headers         jsonb,
    hold            boolean NOT NULL,
    owner           weir.role NOT NULL,
    created_at      timestamptz NOT NULL
);
CREATE INDEX subscription_owner_idx ON weir.subscription (owner);

-- Where each one stands in each stream. A cursor moves by inserting its next turn and
-- deleting the last one (src/outbox/cursor.hpp). stream_id 0: the subscription itself.
CREATE TABLE weir.subscription_cursor (
    subscription_id bigint NOT NULL,
    stream_id       bigint NOT NULL,
    turn            bigint NOT NULL,
    "position"      weir.position NOT NULL,
    frames          bigint NOT NULL,
    moved_at        timestamptz NOT NULL,
    PRIMARY KEY (subscription_id, stream_id, turn) WITH (deduplicate_items = off)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

COMMENT ON TABLE weir.subscription IS
'Internal. Named subscriptions; see the view weir.subscriptions.';
COMMENT ON TABLE weir.subscription_cursor IS
'Internal. Where each subscription stands in each of its streams.';

SELECT pg_catalog.pg_extension_config_dump('weir.subscription', '');
SELECT pg_catalog.pg_extension_config_dump('weir.subscription_cursor', '');

-- Events -------------------------------------------------------------------

CREATE FUNCTION weir.emit(stream text, payload jsonb, type text DEFAULT NULL, headers jsonb DEFAULT NULL)
    RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit IS
'Emits one event: a durable frame, written as the transaction commits (or is prepared), after its deferred '
'triggers, so that a long transaction does not hold back the readers of the stream. The events of a transaction '
'come in the order of their emits within each stream; what a savepoint emitted goes when it is rolled back. type: '
'what happened, up to 512 bytes. payload: JSON, not NULL (JSON null is a value). headers: a JSON object, which '
'subscriptions can filter by. Costs memory until the commit, weir.max_emit_bytes at the most. Arguments are '
'checked at the call; at the commit an event fails where its stream is closed. Repeating the transaction after it '
'has failed is safe. Errors: 22004 NULL stream or payload, 22023 blank stream, empty type or bad headers, 42939 '
'a stream that weir itself writes, 54000 frame, name or all events too large, 25006 read-only transaction or '
'standby; at commit WR001.';

CREATE FUNCTION weir.emit_text(stream text, payload text, type text DEFAULT NULL, headers jsonb DEFAULT NULL)
    RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit_text' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit_text IS
'As emit(), for text: the payload is stored as a JSON string.';

CREATE FUNCTION weir.emit_bytes(stream text, payload bytea, type text DEFAULT NULL, headers jsonb DEFAULT NULL)
    RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit_bytes' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit_bytes IS
'As emit(), for raw bytes, kept as they are in the event''s bytes.';

CREATE FUNCTION weir.emit_batch(stream text, payloads jsonb[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                           types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit_batch IS
'Emits the elements of an array as events, in order, all or none. type, headers, types, headers_each and the '
'limits of the call are those of append_batch(). Otherwise as emit(); further errors: 22004 NULL element of '
'payloads, 22023 empty or multidimensional array, or arrays that differ in length, 54000 too many events.';

CREATE FUNCTION weir.emit_text_batch(stream text, payloads text[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                           types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit_text_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit_text_batch IS
'As emit_batch(), for text: each payload is stored as a JSON string.';

CREATE FUNCTION weir.emit_bytes_batch(stream text, payloads bytea[], type text DEFAULT NULL, headers jsonb DEFAULT NULL,
                           types text[] DEFAULT NULL, headers_each jsonb[] DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit_bytes_batch' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.emit_bytes_batch IS
'As emit_batch(), for raw bytes.';

CREATE FUNCTION weir.outbox() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_outbox' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.outbox IS
'Trigger function: emits an event for each changed row, as emit() does. AFTER INSERT, UPDATE, DELETE or TRUNCATE; '
'FOR EACH ROW, also as a deferred constraint trigger, or FOR EACH STATEMENT with transition tables. Arguments: '
'the stream, then any of: key=a,b (columns that tell rows apart; default: the primary key), columns=a,b (those '
'that the event shows; default: all; an update that leaves them and the key as they were is no event), type=t '
'(default: table.insert, table.update and so on), headers=a,b (columns whose values become the headers), old=off '
'(leaves old values out). The payload has op, schema, table, key, old and new, and for an update changed (names '
'of columns) and, where the key changed, old_key; values are as to_jsonb() gives them, the same whatever the '
'session has set: times in UTC and ISO 8601, floating point with all digits, bytes in hexadecimal. Runs as '
'whoever makes the change, who needs no privilege on weir; making the trigger needs EXECUTE on it. Errors: 39P01 '
'not fired as it must be, no key, 22023 bad argument, 42703 unknown column, 54000 an event too large, and those '
'of emit().';

-- Subscriptions ------------------------------------------------------------

CREATE FUNCTION weir.subscribe(name text, stream text, after weir.position DEFAULT NULL, types text[] DEFAULT NULL,
                               headers jsonb DEFAULT NULL, hold boolean DEFAULT false,
                               since timestamptz DEFAULT NULL) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_subscribe' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.subscribe IS
'Makes a named, durable subscription and returns true; false where it is there already with the same streams, '
'types, headers and hold, wherever it began. stream: a name, or a pattern: * stands for any run of characters, ? '
'for any one, \ takes the next as it is; streams made later are matched too, and begun at their beginning. after: '
'events behind this position; ''-'': from the oldest there is; NULL or ''+'': from now on, that is behind all '
'that is settled. since: instead, events of that time or later. types, headers: only events of these types, whose '
'headers contain these (@>). hold: retention keeps what is not acknowledged, within the bounds of the stream. '
'Waits for a transaction that is using a subscription of the name. Safe to retry. It belongs to the role that '
'makes it: that role, its members and those at level admin use it. One role has up to weir.max_subscriptions. '
'Errors: WR002 there is another one of that name, 42501 it is another role''s, WR003 after lies ahead of the '
'stream, WR004 what follows it was removed, 22004, 22023, 22025 pattern that ends with a single \, 54000 too many '
'subscriptions, headers above 8192 bytes, or more than 65536 bytes of streams, types and headers together, '
'25006.';

CREATE FUNCTION weir.subscribe_many(name text, streams text[], after weir.position DEFAULT NULL,
                                    types text[] DEFAULT NULL,
                               headers jsonb DEFAULT NULL, hold boolean DEFAULT false,
                               since timestamptz DEFAULT NULL) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_subscribe_many' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.subscribe_many IS
'As subscribe(), to several streams and patterns, up to 100, each with a cursor of its own.';

CREATE FUNCTION weir.fetch(name text, max integer DEFAULT 100)
    RETURNS TABLE (stream text, id weir.position, at timestamptz, mode text, type text, payload jsonb, bytes bytea,
                   headers jsonb)
    AS 'MODULE_PATHNAME', 'weir_fetch' LANGUAGE C VOLATILE ROWS 100;
COMMENT ON FUNCTION weir.fetch IS
'The next events of a subscription behind its cursor, settled, and passed by its filter, up to max (1 to 10000), '
'in the order of their positions, each with its stream. It does not move the cursor: what is not acknowledged '
'comes again. What the filter drops the cursor passes by itself. Durable frames, patches and close marks only, no '
'best-effort frames. Takes the subscription''s lock until the transaction ends: with ack() in the same '
'transaction several consumers of one name take turns and see each event once; one that waited sees what is there '
'after the wait. Costs a look at each stream that its patterns match; its memory does not grow with their number '
'times the size of events. Errors: 42704 no such subscription, 42501 it is another role''s, WR004 events behind '
'the cursor were removed, with the first position available and how many are gone, 55000 ack(name) was evaluated '
'before it in the same statement, 22004, 22023.';

CREATE FUNCTION weir.ack(name text, upto weir.position DEFAULT NULL, stream text DEFAULT NULL) RETURNS bigint
    AS 'MODULE_PATHNAME', 'weir_ack' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.ack IS
'Acknowledges events and returns how many frames the cursor passed: 0 where it was there already, so a retry is '
'safe. In the transaction that handled the events their effects happen exactly once. upto: NULL acknowledges '
'exactly what this transaction has fetched, in every stream of the subscription or in the one given, with what '
'the filter dropped on the way, and nothing that was committed since; all that fetch() gave counts, also what the '
'query around it left out. What a rolled-back savepoint fetched does not count, nor what was fetched before a '
'seek(). It has to be evaluated after the fetch(): put it into a statement of its own. With a position: all up to '
'it in one stream, which has to be given where the subscription has more than one. Takes the subscription''s '
'lock until the transaction ends. Errors: 55000 nothing was fetched in this transaction, 42704 no such '
'subscription, 42501 it is another role''s, WR003 the position lies ahead of what is settled, 22004, 22023 stream '
'not given, or not one of the subscription, 25006.';

CREATE FUNCTION weir.seek(name text, after weir.position DEFAULT NULL, stream text DEFAULT NULL,
                          since timestamptz DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_seek' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.seek IS
'Sets a subscription''s cursor, forward or back: events behind after come next; ''-'': the oldest there is, '
'''+'': from now on. since: instead, events of that time or later. stream: NULL for all of its streams. Never '
'beyond what is settled. Takes the subscription''s lock until the transaction ends. Safe to retry. Errors: 42704 '
'no such subscription, 42501 it is another role''s, WR003 the position lies ahead of the stream, WR004 what '
'follows it was removed, 22004, 22023, 25006.';

CREATE FUNCTION weir.unsubscribe(name text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'weir_unsubscribe' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.unsubscribe IS
'Removes a subscription with its cursors; true if there was one. Waits for a transaction that is using it. Safe '
'to retry. Errors: 42501 it is another role''s, 22004, 22023, 25006.';

CREATE FUNCTION weir.give_subscription(name text, role regrole) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_give_subscription' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.give_subscription IS
'Makes a subscription another role''s, as where the role that it belonged to was dropped. Who may call it may use '
'every subscription. Takes the subscription''s lock until the transaction ends. Safe to retry. Errors: 42704 no '
'such subscription or role, 22004, 22023, 25006.';

CREATE FUNCTION weir.encode_cursor("position" weir.position) RETURNS bytea
    AS 'MODULE_PATHNAME', 'weir_encode_cursor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.encode_cursor IS
'A position as opaque bytes, for clients that keep cursors of many kinds: 0x02 and 8 bytes, big-endian.';

CREATE FUNCTION weir.decode_cursor(cursor bytea) RETURNS weir.position
    AS 'MODULE_PATHNAME', 'weir_decode_cursor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION weir.decode_cursor IS
'The position that encode_cursor() was given. Error: 22P03 any other prefix or length.';

CREATE FUNCTION weir.list_subscriptions(subscription text)
    RETURNS TABLE (name text, stream text, cursor weir.position, lag_frames bigint, lag_seconds float8, expired boolean,
                   last_seen timestamptz, streams text[], types text[], headers jsonb, hold boolean,
                   owner regrole)
    AS 'MODULE_PATHNAME', 'weir_list_subscriptions' LANGUAGE C STABLE ROWS 1;
COMMENT ON FUNCTION weir.list_subscriptions IS
'Internal. What the view subscriptions is made of: one of them, where the caller may see it.';

-- A condition on the name is met by the index; but the barrier keeps conditions that could tell names on from
-- those of others, so that is = and not LIKE.
CREATE VIEW weir.subscriptions WITH (security_barrier) AS
    SELECT n.name, s.stream, s.cursor, s.lag_frames, s.lag_seconds, s.expired, s.last_seen, s.streams, s.types,
           s.headers,
           s.hold, s.owner
    FROM weir.subscription n
    CROSS JOIN LATERAL weir.list_subscriptions(n.name) s;

COMMENT ON VIEW weir.subscriptions IS
'Where each subscription stands that the caller may use, or all of them for members of pg_read_all_stats: a row '
'for each of its streams that is there. Costs a little for each row, not for each event, and looks at one '
'subscription alone WHERE name = ….';
COMMENT ON COLUMN weir.subscriptions.name IS
'The subscription.';
COMMENT ON COLUMN weir.subscriptions.stream IS
'The stream. NULL where none matches yet.';
COMMENT ON COLUMN weir.subscriptions.cursor IS
'Everything up to this position is acknowledged, or was dropped by the filter. NULL where there is no stream yet.';
COMMENT ON COLUMN weir.subscriptions.lag_frames IS
'Settled frames of the stream behind the cursor, whether the filter passes them or not.';
COMMENT ON COLUMN weir.subscriptions.lag_seconds IS
'Age of the first settled frame behind the cursor, 0 for none.';
COMMENT ON COLUMN weir.subscriptions.expired IS
'Whether frames behind the cursor were removed before they were acknowledged: fetch() raises WR004.';
COMMENT ON COLUMN weir.subscriptions.last_seen IS
'When the cursor moved or events were fetched last, to ten seconds. NULL for never.';
COMMENT ON COLUMN weir.subscriptions.streams IS
'Names and patterns subscribed to.';
COMMENT ON COLUMN weir.subscriptions.types IS
'Only events of these types. NULL for all.';
COMMENT ON COLUMN weir.subscriptions.headers IS
'Only events whose headers contain these. NULL for all.';
COMMENT ON COLUMN weir.subscriptions.hold IS
'Whether retention keeps what is not acknowledged.';
COMMENT ON COLUMN weir.subscriptions.owner IS
'The role it belongs to. A number: of one that was dropped.';

-- Retention ----------------------------------------------------------------

CREATE FUNCTION weir.retain(stream text DEFAULT NULL) RETURNS bigint
    AS 'MODULE_PATHNAME', 'weir_retain' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION weir.retain IS
'Applies retention now, to a stream, or to all (NULL), and returns how many frames were removed. For streams that '
'are seldom written, whose events would outlive their age. Waits for another trim or drop of the stream. Safe to '
'retry. Errors: 22023, 54000, 25006.';

CREATE VIEW weir.retention WITH (security_barrier) AS
    SELECT n.name AS stream,
           pg_catalog.justify_hours((p.properties OPERATOR(pg_catalog.->>) 'max_age')::bigint
                                    OPERATOR(pg_catalog.*) pg_catalog.interval '1 millisecond') AS max_age,
           (p.properties OPERATOR(pg_catalog.->>) 'max_frames')::bigint AS max_frames,
           coalesce(pg_catalog.justify_hours((p.properties OPERATOR(pg_catalog.->>) 'hold_age')::bigint
                                             OPERATOR(pg_catalog.*) pg_catalog.interval '1 millisecond'),
                    (SELECT l."default"::interval FROM weir.list_stream_properties() l
                     WHERE l.property OPERATOR(pg_catalog.=) 'hold_age')) AS hold_age,
           coalesce((p.properties OPERATOR(pg_catalog.->>) 'hold_frames')::bigint,
                    (SELECT l."default"::bigint FROM weir.list_stream_properties() l
                     WHERE l.property OPERATOR(pg_catalog.=) 'hold_frames')) AS hold_frames
    FROM weir.stream_property p
    CROSS JOIN LATERAL (SELECT r.name FROM weir.registry r WHERE r.id OPERATOR(pg_catalog.=) p.stream_id LIMIT 1) n
    WHERE p.retained AND weir.has_access(n.name);

COMMENT ON VIEW weir.retention IS
'The streams whose frames do not stay for ever, and the properties that say so (create_stream()).';
COMMENT ON COLUMN weir.retention.stream IS
'The stream.';
COMMENT ON COLUMN weir.retention.max_age IS
'Frames older than that go. NULL: of any age stay.';
COMMENT ON COLUMN weir.retention.max_frames IS
'All but the newest so many go. NULL: any number stays.';
COMMENT ON COLUMN weir.retention.hold_age IS
'Older than that they go even where a subscription holds them.';
COMMENT ON COLUMN weir.retention.hold_frames IS
'All but the newest so many go even where a subscription holds them.';

INSERT INTO weir.privilege (level, name) VALUES
    ('read', 'fetch'), ('read', 'ack'), ('read', 'seek'), ('read', 'subscribe'), ('read', 'subscribe_many'),
    ('read', 'unsubscribe'),
    ('read', 'encode_cursor'), ('read', 'decode_cursor'), ('read', 'list_subscriptions'), ('read', 'subscriptions'),
    ('read', 'retention'),
    ('write', 'emit'), ('write', 'emit_text'), ('write', 'emit_bytes'),
    ('write', 'emit_batch'), ('write', 'emit_text_batch'), ('write', 'emit_bytes_batch'), ('write', 'outbox'),
    ('admin', 'retain'), ('admin', 'give_subscription');
