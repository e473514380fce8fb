-- The access lists of these relations, functions and databases, and of every schema, owners' own entries included;
-- `builtin` entries stand for a list that nobody has changed, or came with the system or an extension.
WITH listed ("group", classid, objid, objsubid, col, list, untouched) AS (
    SELECT 'relation', 'pg_class'::regclass, oid, 0, NULL::text,
           coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner)),
           -- Its lists are made after initdb has noted those of the rest.
           relacl IS NULL OR relnamespace = 'information_schema'::regnamespace
    FROM pg_class WHERE oid = ANY (%(relations)s::oid[])
    UNION ALL
    SELECT 'relation', 'pg_class'::regclass, attrelid, attnum, attname, attacl, false
    FROM pg_attribute WHERE attrelid = ANY (%(relations)s::oid[]) AND attacl IS NOT NULL AND NOT attisdropped
    UNION ALL
    SELECT 'function', 'pg_proc'::regclass, oid, 0, NULL, coalesce(proacl, acldefault('f', proowner)), proacl IS NULL
    FROM pg_proc WHERE oid = ANY (%(functions)s::oid[])
    UNION ALL
    SELECT 'schema', 'pg_namespace'::regclass, oid, 0, NULL, coalesce(nspacl, acldefault('n', nspowner)),
           nspacl IS NULL OR nspname = 'information_schema'
    FROM pg_namespace
    UNION ALL
    SELECT 'database', 'pg_database'::regclass, oid, 0, NULL, coalesce(datacl, acldefault('d', datdba)), datacl IS NULL
    FROM pg_database WHERE datname = current_database() OR oid = ANY (%(databases)s::oid[])
)
SELECT l."group", l.objid::bigint AS oid, l.col AS "column",
       CASE a.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(a.grantee)::text END AS grantee,
       pg_get_userbyid(a.grantor)::text AS grantor, a.privilege_type AS "right",
       l.untouched
       -- Any other grant on a function or a database spells what PUBLIC had before.
       OR a.grantee = 0 AND (l."group", a.privilege_type)
          IN (('function', 'EXECUTE'), ('database', 'CONNECT'), ('database', 'TEMPORARY'))
       OR EXISTS (SELECT FROM pg_init_privs i CROSS JOIN aclexplode(i.initprivs) e
                  WHERE i.classoid = l.classid AND i.objoid = l.objid AND i.objsubid = l.objsubid
                    AND e.grantee = a.grantee AND e.privilege_type = a.privilege_type) AS builtin
FROM listed l CROSS JOIN aclexplode(l.list) a
ORDER BY 1, 2, l.objsubid, 4, 6
