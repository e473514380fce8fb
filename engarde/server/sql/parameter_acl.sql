-- Who may set what only superusers may, from PostgreSQL 15 on.
SELECT 'parameter' AS kind, NULL AS schema, parname AS name, parname AS identity, NULL AS "column",
       'postgres' AS owner, CASE grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(grantee) END AS grantee,
       pg_get_userbyid(grantor) AS grantor, privilege_type AS "right", is_grantable AS grantable,
       true AS guarded
FROM pg_parameter_acl CROSS JOIN aclexplode(paracl)
WHERE grantee <> 10
