-- What the server itself says that a role may do with a thing, and what that takes: the schema's USAGE, the database's CONNECT.
WITH asked (role, "group", oid) AS (SELECT %(role)s::text, %(group)s::text, %(oid)s::oid)
SELECT 'object' AS "on", r AS "right", NULL::text AS "column",
       CASE "group" WHEN 'function' THEN has_function_privilege(role, oid, r)
                    WHEN 'schema' THEN has_schema_privilege(role, oid, r)
                    WHEN 'database' THEN has_database_privilege(role, oid, r)
                    WHEN 'sequence' THEN has_sequence_privilege(role, oid, r)
                    ELSE has_table_privilege(role, oid, r) END AS held
FROM asked CROSS JOIN unnest(%(rights)s::text[]) r
UNION ALL
SELECT 'object', r, attname::text, has_column_privilege(role, oid, attnum, r)
FROM asked
JOIN pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped AND "group" = 'relation'
CROSS JOIN unnest(%(column_rights)s::text[]) r
UNION ALL
SELECT 'object', 'owner', NULL, role <> 'public' AND pg_has_role(role, %(owner)s::text, 'USAGE')
FROM asked
UNION ALL
SELECT 'schema', 'USAGE', NULL, has_schema_privilege(role, %(schema)s::text, 'USAGE')
FROM asked WHERE %(schema)s::text IS NOT NULL
UNION ALL
SELECT 'database', 'CONNECT', NULL, has_database_privilege(role, current_database(), 'CONNECT')
FROM asked WHERE "group" <> 'database'
