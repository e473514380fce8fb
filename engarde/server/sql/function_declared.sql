-- The function of this name and these types; the types of extensions' and services' own need their schema.
SELECT p.oid::bigint AS oid, nspname AS schema, proname AS name, oidvectortypes(proargtypes) AS types,
       quote_ident(nspname) || '.' || quote_ident(proname) || '(' ||
       CASE p.prokind WHEN 'a' THEN oidvectortypes(p.proargtypes) ELSE pg_get_function_identity_arguments(p.oid) END || ')' AS identity,
       pg_get_userbyid(proowner) AS owner, has_function_privilege(p.oid, 'EXECUTE WITH GRANT OPTION') AS grantable
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
WHERE p.oid = to_regprocedure(%(function)s)::oid
