-- Everything in these schemas that one may select from.
SELECT nspname, relname
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = ANY (%(schemas)s) AND relkind IN ('r', 'p', 'v', 'm', 'f')
