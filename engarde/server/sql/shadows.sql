-- Functions, operators and relations of these schemas that have a name of pg_catalog's and are another's than the
-- admin's and superusers': what a session that names no schema may meet in place of the system's. With the very same
-- arguments that takes a path that names the schema before pg_catalog, as it does those that come `ahead`.
WITH system (oid) AS (SELECT 'pg_catalog'::regnamespace),
inside (oid, schema, ahead) AS (
    SELECT oid, nspname, nspname = ANY (%(ahead)s) FROM pg_namespace WHERE nspname = ANY (%(schemas)s)
),
untrusted (oid, name) AS (SELECT oid, rolname FROM pg_roles WHERE NOT rolsuper AND rolname <> %(admin)s),
-- A call with the system's types is led to what takes these, or domains and pseudo-types in their place.
taken (oid) AS (
    SELECT t.oid FROM pg_type t, system WHERE typnamespace = system.oid OR typtype = 'd' UNION ALL SELECT 0
)
SELECT 'function' AS kind, i.schema, s.identity, u.name AS owner,
       format('ALTER ROUTINE %%s RENAME TO %%I', s.identity, left(u.name, 30) || '_' || left(proname, 30)) AS remedy
FROM inside i JOIN pg_proc p ON pronamespace = i.oid JOIN untrusted u ON u.oid = proowner
CROSS JOIN LATERAL format('%%I.%%I(%%s)', i.schema, proname,
                               CASE p.prokind WHEN 'a' THEN oidvectortypes(p.proargtypes) ELSE pg_get_function_identity_arguments(p.oid) END) s (identity)
WHERE prokind <> 'p' AND proname IN (SELECT proname FROM pg_proc, system WHERE pronamespace = system.oid)
  AND NOT EXISTS (SELECT FROM unnest(proargtypes) a (type) WHERE type NOT IN (SELECT oid FROM taken))
  AND (i.ahead OR NOT EXISTS (SELECT FROM pg_proc o, system
                              WHERE o.pronamespace = system.oid AND o.proname = p.proname AND o.proargtypes = p.proargtypes))
UNION ALL
SELECT 'operator', i.schema, s.identity, u.name, 'DROP OPERATOR ' || s.identity
FROM inside i JOIN pg_operator p ON oprnamespace = i.oid JOIN untrusted u ON u.oid = oprowner
CROSS JOIN LATERAL format('%%I.%%s (%%s, %%s)', i.schema, oprname, CASE oprleft WHEN 0 THEN 'NONE' ELSE format_type(oprleft, NULL) END,
                          CASE oprright WHEN 0 THEN 'NONE' ELSE format_type(oprright, NULL) END) s (identity)
WHERE oprname IN (SELECT oprname FROM pg_operator, system WHERE oprnamespace = system.oid)
  AND oprleft IN (SELECT oid FROM taken) AND oprright IN (SELECT oid FROM taken)
  AND (i.ahead OR NOT EXISTS (SELECT FROM pg_operator o, system
                              WHERE o.oprnamespace = system.oid AND o.oprname = p.oprname
                                AND (o.oprleft, o.oprright) = (p.oprleft, p.oprright)))
UNION ALL
-- pg_catalog's tables are met first, but by a path that names it late.
SELECT 'relation', i.schema, format('%%I.%%I', i.schema, relname), u.name,
       format('ALTER TABLE %%I.%%I RENAME TO %%I', i.schema, relname, left(u.name, 30) || '_' || left(relname, 30))
FROM inside i JOIN pg_class c ON relnamespace = i.oid JOIN untrusted u ON u.oid = relowner
WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relname IN (SELECT relname FROM pg_class, system WHERE relnamespace = system.oid)
ORDER BY 1, 3
