-- Whether the connected role has each of these rights on a table, or on one column of it; without a column, on any. In the
-- order in which they were asked.
SELECT coalesce(has_schema_privilege(n.oid, 'USAGE')
                AND CASE WHEN asked.column_name IS NOT NULL THEN has_column_privilege(c.oid, a.attnum, asked.privilege)
                         ELSE has_any_column_privilege(c.oid, asked.privilege) END, false) AS held
FROM unnest(%(schemas)s::text[], %(tables)s::text[], %(columns)s::text[], %(rights)s::text[])
     WITH ORDINALITY AS asked (schema_name, table_name, column_name, privilege, place)
LEFT JOIN pg_namespace n ON n.nspname = asked.schema_name
LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = asked.table_name
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = asked.column_name AND NOT a.attisdropped
ORDER BY asked.place
