-- SPDX-License-Identifier: PostgreSQL
-- What an extension is made of, a line each, whatever order it was made in: for the comparison of one that was
-- upgraded with one that was created. Run by psql, on the database of either.

SELECT line FROM (
    -- Every object that belongs to it, and its comment.
    SELECT 'object ' || pg_describe_object(d.classid, d.objid, d.objsubid)
           || coalesce(' -- ' || obj_description(d.objid, d.classid::regclass::name), '') AS line
    FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    WHERE e.extname = 'weir' AND d.deptype = 'e'
    UNION ALL
    SELECT 'function ' || pg_get_functiondef(p.oid) || ' rights ' || coalesce(p.proacl::text, 'default')
    FROM pg_proc p WHERE p.pronamespace = 'weir'::regnamespace AND p.prokind <> 'a'
    UNION ALL
    SELECT 'column ' || format('%s.%s %s %s %s %s %s', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod),
                               a.attnotnull, a.attcollation::regcollation, pg_get_expr(f.adbin, f.adrelid),
                               col_description(c.oid, a.attnum))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
    WHERE c.relnamespace = 'weir'::regnamespace
    UNION ALL
    -- The order of a table's columns is that of the structs laid over its rows.
    SELECT 'columns ' || format('%s %s', c.oid::regclass, string_agg(a.attname, ',' ORDER BY a.attnum))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'weir'::regnamespace GROUP BY c.oid
    UNION ALL
    SELECT 'relation ' || format('%s %s %s %s rights %s', c.oid::regclass, c.relkind, c.relpersistence, c.reloptions,
                                 c.relacl)
    FROM pg_class c WHERE c.relnamespace = 'weir'::regnamespace
    UNION ALL
    SELECT 'index ' || pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'weir'::regnamespace
    UNION ALL
    SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'weir'::regnamespace
    UNION ALL
    SELECT 'trigger ' || pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'weir'::regnamespace
    UNION ALL
    SELECT 'view ' || c.oid::regclass || ' ' || pg_get_viewdef(c.oid)
    FROM pg_class c WHERE c.relnamespace = 'weir'::regnamespace AND c.relkind = 'v'
    UNION ALL
    SELECT 'type ' || format('%s %s rights %s', t.oid::regtype, t.typlen, t.typacl)
    FROM pg_type t WHERE t.typnamespace = 'weir'::regnamespace
    UNION ALL
    SELECT 'dumped ' || format('%s %s', r.oid::regclass, r.condition)
    FROM pg_extension e CROSS JOIN unnest(e.extconfig, e.extcondition) r (oid, condition) WHERE e.extname = 'weir'
    UNION ALL
    SELECT 'privilege ' || format('%s %s', v.level, v.name) FROM weir.privilege v
) parts ORDER BY line COLLATE "C";
