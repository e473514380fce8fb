-- Partitions and inheriting tables that lie in another schema, or are another's, than what they are part of.
SELECT quote_ident(cn.nspname) || '.' || quote_ident(c.relname) AS child, cn.nspname AS child_schema,
       pg_get_userbyid(c.relowner) AS child_owner,
       quote_ident(pn.nspname) || '.' || quote_ident(p.relname) AS parent, pn.nspname AS parent_schema,
       pg_get_userbyid(p.relowner) AS parent_owner, c.relispartition AS partition
FROM pg_inherits
JOIN pg_class c ON c.oid = inhrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_class p ON p.oid = inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND cn.oid <> pn.oid
ORDER BY 1
