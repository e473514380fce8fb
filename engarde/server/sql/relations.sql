-- Everything in these schemas that one may select from, and sequences; `provided` ones came with an extension.
SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind, nspname AS schema, relname AS name,
       quote_ident(nspname) || '.' || quote_ident(relname) AS identity, pg_get_userbyid(relowner) AS owner,
       relkind IN ('r', 'p') AND NOT relhasrules AS stored, relkind = 'v' AS view,
       EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e') AS provided,
       CASE WHEN relkind = 'S' THEN ARRAY[]::text[]
            ELSE ARRAY(SELECT attname::text FROM pg_attribute
                       WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) END AS columns,
       (SELECT quote_ident(tn.nspname) || '.' || quote_ident(t.relname)
        FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND c.relkind = 'S'
          AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')) AS "table"
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (%(schemas)s) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
ORDER BY 2, 3
