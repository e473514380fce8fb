-- What is granted on what is made later. A list without a schema stands in the place of the built-in rights, and may be
-- empty; one with a schema adds to them.
SELECT pg_get_userbyid(defaclrole) AS creator, nspname AS schema,
       CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
                          WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END AS objects,
       CASE grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(grantee) END AS grantee, privilege_type AS "right",
       coalesce(is_grantable, false) AS grantable
FROM pg_default_acl d
LEFT JOIN pg_namespace n ON n.oid = defaclnamespace
LEFT JOIN LATERAL aclexplode(defaclacl) ON true
ORDER BY 1, 2, 3, 4, 5
