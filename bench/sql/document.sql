-- SPDX-License-Identifier: PostgreSQL
-- A JSON document of 64 KiB as text (a thousand and some members, values that
-- compress little), stored as one row and given to a stream as its first patch.

CREATE TABLE document (id integer PRIMARY KEY, d jsonb NOT NULL);
INSERT INTO document
    SELECT 1, jsonb_object_agg('file-' || lpad(i::text, 4, '0'), md5(i::text))
    FROM generate_series(1, 1337) i;
DO $$
BEGIN
    ASSERT (SELECT length(d::text) BETWEEN 64000 AND 66000 FROM document);
    PERFORM weir.append_patch('document', d) FROM document;
END
$$;
