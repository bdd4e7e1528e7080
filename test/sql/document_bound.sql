-- SPDX-License-Identifier: PostgreSQL
-- Claim: a summary document stays below weir.max_document_bytes: the patch that would pass it is
-- refused, others are not, however many they are; a document that is too large already
-- stands in nobody's way, and a replacing patch mends it.
\set VERBOSITY terse
CREATE FUNCTION document_size(of text) RETURNS bigint LANGUAGE sql AS
    'SELECT pg_column_size(document || ''{}'') FROM weir.summary(of)';
SET weir.max_document_bytes = '8kB';

-- The same members again and again: each statement, and many in one.
SELECT max(summary_version)
FROM generate_series(1, 500) n, weir.append_patch('same', jsonb_build_object('k', repeat('x', 100), 'n', n));
DO $$ BEGIN
    FOR n IN 1..300 LOOP PERFORM weir.append_patch('same', jsonb_build_object('k', repeat('y', 100), 'n', n)); END LOOP;
END $$;
SELECT document ->> 'n' AS n, version, document_size('same') < 300 AS small FROM weir.summary('same');

-- One that grows is refused before it is too large, and not long before.
DO $$ BEGIN
    FOR n IN 1..1000 LOOP PERFORM weir.append_patch('grows', jsonb_build_object('k' || n, repeat('x', 100))); END LOOP;
EXCEPTION WHEN program_limit_exceeded THEN RAISE NOTICE '%', SQLERRM;
END $$;
CREATE PROCEDURE grow() LANGUAGE plpgsql AS $$ BEGIN
    FOR n IN 1..1000 LOOP
        PERFORM weir.append_patch('grows', jsonb_build_object('k' || n, repeat('x', 100)));
        COMMIT;
    END LOOP;
END $$;
CALL grow();
SELECT document_size('grows') BETWEEN 7500 AND 8192 AS full;
\set VERBOSITY default
SELECT weir.append_patch('grows', jsonb_build_object('more', repeat('x', 400)));
\set VERBOSITY terse
-- What takes something away goes in, and what there is room for then.
SELECT summary_version > 0 AS done
FROM weir.append_patch('grows', '{"k1": null, "k2": null, "k3": null, "k4": null, "k5": null}');
SELECT summary_version > 0 AS done FROM weir.append_patch('grows', jsonb_build_object('more', repeat('x', 400)));
SELECT document_size('grows') BETWEEN 7000 AND 8192 AS full;

-- The limit is lowered: what is there can be read, trimmed, replaced.
SET weir.max_document_bytes = '1kB';
SELECT weir.append_patch('grows', '{"a": 1}');
SELECT document_size('grows') > 7000 AS still_read;
SELECT weir.trim('grows', keep => 1) > 10 AS trimmed;
SELECT document_size('grows') > 7000 AS still_read;
SELECT weir.append_patch('grows', jsonb_build_object('k', repeat('x', 2000)), replace => true);
SELECT summary_version > 0 AS done
FROM weir.append_patch('grows', '{"a": 1, "gone": null, "n": "__weir_null__"}', replace => true);
SELECT summary_version > 0 AS done FROM weir.append_patch('grows', '{"b": 2}');
SELECT document FROM weir.summary('grows');
SELECT mode, payload FROM weir.read('grows', max => 2, reverse => true);
SELECT weir.append_patch('grows', '{}', replace => NULL);

-- A replacement is part of the history.
SELECT id AS first FROM weir.append_patch('history', '{"a": 1}') \gset
SELECT id AS replaced FROM weir.append_patch('history', '{"b": 2}', replace => true) \gset
SELECT id AS last FROM weir.append_patch('history', '{"c": 3}') \gset
SELECT document, version FROM weir.summary_at('history', :'first');
SELECT document, version FROM weir.summary_at('history', :'replaced');
SELECT document, version FROM weir.summary('history');

-- Far too large: more than is ever folded.
SET weir.max_document_bytes = '256MB';
SELECT max(summary_version) FROM generate_series(1, 70) n,
    weir.append_patch('poisoned', jsonb_build_object('k' || n, repeat(md5(n::text), 32000)));
RESET weir.max_document_bytes;
SELECT document IS NOT NULL FROM weir.summary('poisoned');
SELECT frames, version FROM weir.stream_info('poisoned');
SELECT weir.append('poisoned', '1') IS NOT NULL AS appended;
SELECT frames FROM weir.append_batch('poisoned', array_fill('2'::jsonb, ARRAY[600]));
SELECT weir.append_patch('poisoned', '{"a": 1}');
SELECT weir.emit('poisoned', type => 'n', payload => '3');
SELECT weir.alter_stream('poisoned', max_frames => 660);
SELECT weir.retain('poisoned') AS removed;
SELECT frames FROM weir.stream_info('poisoned');
SELECT weir.alter_stream('poisoned', reset => '{max_frames}');
SELECT weir.trim('poisoned', keep => 650);
SELECT frames, version FROM weir.stream_info('poisoned');
SELECT id AS replaced, summary_version FROM weir.append_patch('poisoned', '{"b": 2}', replace => true) \gset
SELECT document, version FROM weir.summary('poisoned');
SELECT document FROM weir.summary_at('poisoned', :'replaced');
SELECT summary_version FROM weir.append_patch('poisoned', '{"c": 3}');
SELECT weir.trim('poisoned', keep => 1);
SELECT document, version FROM weir.summary('poisoned');
SELECT weir.drop_stream('poisoned');
