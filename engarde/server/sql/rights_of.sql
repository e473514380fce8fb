-- What these roles (`public` is PUBLIC) have on these databases, on these schemas and on what is in them: by kind (database,
-- schema, table, sequence), without what an owner has on its own.
WITH things AS (
    SELECT 'database' AS kind, NULL::name AS schema, datname AS name, datdba AS owner,
           coalesce(datacl, acldefault('d', datdba)) AS acl
    FROM pg_database WHERE datname = ANY (%(databases)s)
    UNION ALL
    SELECT 'schema', nspname, nspname, nspowner, coalesce(nspacl, acldefault('n', nspowner))
    FROM pg_namespace WHERE nspname = ANY (%(schemas)s)
    UNION ALL
    SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, nspname, relname, relowner, relacl
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = ANY (%(schemas)s) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relacl IS NOT NULL
)
SELECT CASE grantee WHEN 0 THEN 'public' ELSE rolname END AS grantee, kind, schema, name,
       array_agg(privilege_type ORDER BY privilege_type) AS rights
FROM things CROSS JOIN aclexplode(acl) a LEFT JOIN pg_roles r ON r.oid = grantee
WHERE grantee <> owner AND (CASE grantee WHEN 0 THEN 'public' ELSE rolname END) = ANY (%(grantees)s)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
