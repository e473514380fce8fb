-- The extensions in a schema that holds nothing else that one may select from, and whether each can be moved.
SELECT extname AS name, extrelocatable AS relocatable
FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace
WHERE nspname = %(schema)s
  AND NOT EXISTS (SELECT FROM pg_class c
                  WHERE relnamespace = n.oid AND relkind IN ('r', 'p', 'v', 'm', 'f')
                    AND NOT EXISTS (SELECT FROM pg_depend
                                    WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'))
ORDER BY 1
