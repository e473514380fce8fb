-- Rights that owners have by themselves and took away, in these schemas; MAINTAIN is too new to be missed.
WITH listed (kind, schema, name, identity, owner, list, builtin) AS (
    SELECT 'schema', nspname, NULL::name, quote_ident(nspname), nspowner, nspacl, acldefault('n', nspowner)
    FROM pg_namespace
    UNION ALL
    SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, nspname, relname,
           quote_ident(nspname) || '.' || quote_ident(relname), relowner, relacl,
           acldefault(CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner)
    FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'function', nspname, proname,
           quote_ident(nspname) || '.' || quote_ident(proname) || '(' ||
           CASE p.prokind WHEN 'a' THEN oidvectortypes(p.proargtypes) ELSE pg_get_function_identity_arguments(p.oid) END || ')',
           proowner, proacl, acldefault('f', proowner)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
    UNION ALL
    SELECT 'type', nspname, typname, quote_ident(nspname) || '.' || quote_ident(typname), typowner, typacl,
           acldefault('T', typowner)
    FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
)
SELECT kind, schema, name, identity, NULL AS "column", pg_get_userbyid(owner) AS owner,
       pg_get_userbyid(owner) AS grantee, pg_get_userbyid(owner) AS grantor, b.privilege_type AS "right", false AS grantable,
       false AS guarded
FROM listed CROSS JOIN aclexplode(builtin) b
WHERE list IS NOT NULL AND schema = ANY (%(schemas)s) AND b.grantee = owner AND b.privilege_type <> 'MAINTAIN'
  AND NOT EXISTS (SELECT FROM aclexplode(list) a WHERE a.grantee = owner AND a.privilege_type = b.privilege_type)
ORDER BY 2, 3
