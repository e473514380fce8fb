-- Whatever in any schema has one of these names in some case.
SELECT CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                    WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind,
       nspname AS schema, relname AS name, quote_ident(nspname) || '.' || quote_ident(relname) AS identity,
       pg_get_userbyid(relowner) AS owner
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE lower(relname::text) = ANY (SELECT lower(name) FROM unnest(%(names)s::text[]) name)
  AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND nspname NOT LIKE 'pg\_%%' AND nspname <> 'information_schema'
ORDER BY 2, 3
