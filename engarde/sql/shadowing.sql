-- Functions and operators in these schemas (NULL: in all of them) that have a name of pg_catalog's and belong to neither
-- a superuser nor this session's role: who finds one by a bare name may run it instead. Whose extension one is of says
-- nothing: its owner may replace it, and an extension's own functions belong to the superuser who made them.
SELECT CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind, nspname AS schema,
       format('%%I.%%I(%%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)) AS identity,
       pg_get_userbyid(proowner) AS owner
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace JOIN pg_roles r ON r.oid = proowner
WHERE proname IN (SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace)
  AND n.oid <> 'pg_catalog'::regnamespace AND nspname = ANY (coalesce(%(schemas)s::name[], ARRAY[nspname]))
  AND NOT rolsuper AND rolname <> current_user
UNION ALL
SELECT 'operator', nspname,
       format('%%I.%%s (%%s, %%s)', nspname, oprname, coalesce(format_type(nullif(oprleft, 0), NULL), 'NONE'),
              coalesce(format_type(nullif(oprright, 0), NULL), 'NONE')),
       pg_get_userbyid(oprowner)
FROM pg_operator o JOIN pg_namespace n ON n.oid = oprnamespace JOIN pg_roles r ON r.oid = oprowner
WHERE oprname IN (SELECT oprname FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace)
  AND n.oid <> 'pg_catalog'::regnamespace AND nspname = ANY (coalesce(%(schemas)s::name[], ARRAY[nspname]))
  AND NOT rolsuper AND rolname <> current_user
ORDER BY 2, 3
