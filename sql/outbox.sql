-- SPDX-License-Identifier: PostgreSQL
-- The outbox: events minted as their transaction commits, and durable subscriptions
-- to the topics they go to.

CREATE FUNCTION weir.emit(topic text, type text, payload jsonb DEFAULT '{}', headers jsonb DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'weir_emit' LANGUAGE C VOLATILE;

CREATE FUNCTION weir.outbox() RETURNS trigger
    AS 'MODULE_PATHNAME', 'weir_outbox' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION weir.outbox() IS
'Trigger function: emits an event for each changed row, as emit() does. AFTER INSERT, UPDATE, DELETE or TRUNCATE; FOR EACH ROW, also as a deferred constraint trigger, or FOR EACH STATEMENT with transition tables. Arguments: the topic, then any of: key=a,b (columns that tell rows apart; default: the primary key), columns=a,b (those that the event shows; default: all; an update that leaves them and the key as they were is no event), type=t (default: table.insert, table.update and so on), headers=a,b (columns whose values become the headers), old=off (leaves old values out). The payload has op, schema, table, key, old and new, and for an update changed (names of columns) and, where the key changed, old_key; values are as to_jsonb() gives them. Runs as whoever makes the change, who needs no privilege on weir; making the trigger needs EXECUTE on it. Errors: 39P01 not fired as it must be, no key, 22023 bad argument, 42703 unknown column, 54000 an event too large, and those of emit().';

COMMENT ON FUNCTION weir.emit(text, text, jsonb, jsonb) IS
'Emits one event: a durable frame of the stream topic, written as the transaction commits (or is prepared), after its deferred triggers, so that a long transaction does not hold back the readers of the topic. The events of a transaction come in the order of their emits within each topic; what a savepoint emitted goes when it is rolled back. type: what happened, 1 to 512 bytes. payload: JSON, not NULL (JSON null is a value). headers: a JSON object, which subscriptions can filter by. Costs memory until the commit, weir.max_emit_bytes at the most. Arguments are checked at the call; at the commit an event fails where its topic is closed. Repeating the transaction after it has failed is safe. Errors: 22004 NULL topic, type or payload, 22023 blank topic, empty type or bad headers, 54000 frame, name or all events too large, 25006 read-only transaction or standby; at commit WR001.';

INSERT INTO weir.privilege (level, name) VALUES ('write', 'emit'), ('write', 'outbox');
