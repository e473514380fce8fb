-- What belongs to the objects of a schema, and how each is made. Without expressions: a server prints the same one
-- in another way once it has read it back, and so does another release.
WITH home AS (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s),
own AS (SELECT c.* FROM pg_class c, home
        WHERE relnamespace = home.oid
          AND NOT EXISTS (SELECT FROM pg_depend
                          WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'))
SELECT 'index' AS kind, i.indexrelid::regclass::text AS name,
       concat_ws(' ', 'on', t.oid::regclass, amname, CASE WHEN indisunique THEN 'unique' END,
                 CASE WHEN indisprimary THEN 'primary' END, CASE WHEN indpred IS NOT NULL THEN 'partial' END,
                 CASE WHEN indisreplident THEN 'replica identity' END, CASE WHEN indisclustered THEN 'clustered' END,
                 '(' || (SELECT string_agg(CASE WHEN key = 0 THEN 'expression'
                                                ELSE pg_get_indexdef(indexrelid, place::int, true) END, ', ' ORDER BY place)
                         FROM unnest(indkey::int2[]) WITH ORDINALITY AS keys (key, place)) || ')',
                 (SELECT string_agg(opcname, ', ' ORDER BY place)
                  FROM unnest(indclass::oid[]) WITH ORDINALITY AS classes (class, place)
                  JOIN pg_opclass o ON o.oid = class), indoption) AS detail
FROM pg_index i JOIN own t ON t.oid = indrelid JOIN pg_class x ON x.oid = indexrelid JOIN pg_am a ON a.oid = x.relam
-- One that a failed CREATE INDEX CONCURRENTLY has left is in no dump.
WHERE indisvalid OR t.relkind = 'p'
UNION ALL
SELECT 'constraint', format('%%I on %%s', conname, coalesce(r.oid::regclass::text, contypid::regtype::text)),
       concat_ws(' ', contype, CASE WHEN NOT convalidated THEN 'not valid' END,
                 CASE WHEN contype IN ('p', 'u', 'f') THEN pg_get_constraintdef(c.oid) END)
FROM pg_constraint c LEFT JOIN own r ON r.oid = conrelid, home
WHERE connamespace = home.oid AND contype NOT IN ('n', 't') AND conparentid = 0 AND (r.oid IS NOT NULL OR conrelid = 0)
UNION ALL
SELECT 'trigger', format('%%I on %%s', tgname, r.oid::regclass),
       concat_ws(' ', tgenabled, tgtype, tgfoid::regprocedure, nullif(tgattr::text, ''), encode(tgargs, 'hex'),
                 CASE WHEN tgqual IS NOT NULL THEN 'when' END, CASE WHEN tgdeferrable THEN 'deferrable' END)
FROM pg_trigger t JOIN own r ON r.oid = tgrelid WHERE NOT tgisinternal AND tgparentid = 0
UNION ALL
SELECT 'policy', format('%%I on %%s', polname, r.oid::regclass),
       concat_ws(' ', polcmd, CASE WHEN NOT polpermissive THEN 'restrictive' END,
                 (SELECT string_agg(CASE member WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(member)) END, ', '
                                    ORDER BY pg_get_userbyid(member)) FROM unnest(polroles) AS member))
FROM pg_policy JOIN own r ON r.oid = polrelid
UNION ALL
SELECT 'rule', format('%%I on %%s', rulename, r.oid::regclass), concat_ws(' ', ev_type, ev_enabled, is_instead)
FROM pg_rewrite JOIN own r ON r.oid = ev_class WHERE rulename <> '_RETURN'
UNION ALL
SELECT CASE relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, v.oid::regclass::text,
       concat_ws(' ', CASE WHEN NOT relispopulated THEN 'not populated' END, array_to_string(reloptions, ' '),
                 (SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
                  FROM pg_attribute WHERE attrelid = v.oid AND attnum > 0 AND NOT attisdropped))
FROM own v WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'function', p.oid::regprocedure::text,
       concat_ws(' ', prokind, lanname, provolatile, CASE WHEN prosecdef THEN 'definer' END,
                 CASE WHEN proisstrict THEN 'strict' END, CASE WHEN proleakproof THEN 'leakproof' END, proparallel,
                 CASE WHEN proretset THEN 'set of' END, format_type(prorettype, NULL), array_to_string(proconfig, ' '),
                 pronargdefaults, md5(prosrc))
FROM pg_proc p JOIN pg_language l ON l.oid = prolang, home
WHERE pronamespace = home.oid
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype IN ('e', 'i'))
UNION ALL
SELECT 'type', t.oid::regtype::text,
       CASE typtype
           WHEN 'e' THEN (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
                          FROM pg_enum WHERE enumtypid = t.oid)
           WHEN 'd' THEN concat_ws(' ', format_type(typbasetype, typtypmod), CASE WHEN typnotnull THEN 'not null' END,
                                   CASE WHEN typdefault IS NOT NULL THEN 'default' END)
           WHEN 'c' THEN (SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', '
                                            ORDER BY attnum)
                          FROM pg_attribute WHERE attrelid = typrelid AND attnum > 0 AND NOT attisdropped)
           WHEN 'r' THEN (SELECT format_type(rngsubtype, NULL) FROM pg_range WHERE rngtypid = t.oid)
           ELSE typtype::text END
FROM pg_type t, home
WHERE typnamespace = home.oid AND typtype IN ('e', 'd', 'c', 'r')
  AND NOT EXISTS (SELECT FROM pg_class WHERE oid = typrelid AND relkind <> 'c')
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE classid = 'pg_type'::regclass AND objid = t.oid AND deptype IN ('e', 'i'))
UNION ALL
SELECT 'statistics', quote_ident(stxname), concat_ws(' ', 'on', stxrelid::regclass, stxkeys, stxkind::text)
FROM pg_statistic_ext, home WHERE stxnamespace = home.oid
UNION ALL
SELECT 'comment', concat_ws(' ', o.type, o.identity), md5(d.description)
FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) o, home
WHERE d.objoid >= 16384 AND o.schema IS NOT NULL AND (
    (d.classoid = 'pg_class'::regclass AND d.objoid IN (SELECT oid FROM own))
    OR (d.classoid = 'pg_proc'::regclass AND d.objoid IN (
            SELECT p.oid FROM pg_proc p
            WHERE pronamespace = home.oid
              AND NOT EXISTS (SELECT FROM pg_depend
                              WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')))
    OR (d.classoid = 'pg_type'::regclass AND d.objoid IN (SELECT oid FROM pg_type WHERE typnamespace = home.oid)))
ORDER BY 1, 2
