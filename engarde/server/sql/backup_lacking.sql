-- Which rights the connected role lacks: to lead a foreign key to a table of this name, and to find anything in these
-- schemas.
SELECT 'REFERENCES' AS right, 'table' AS kind, format('%%I.%%I', nspname, relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE format('%%I.%%I', nspname, relname) = %(referenced)s AND NOT has_table_privilege(c.oid, 'REFERENCES')
UNION ALL
SELECT 'USAGE', 'schema', quote_ident(nspname)
FROM pg_namespace WHERE nspname = ANY (%(schemas)s) AND NOT has_schema_privilege(oid, 'USAGE')
ORDER BY 1, 3
