-- Who has what, by access list: every entry but an owner's own, and those an extension or the system came with.
-- A function without a list is everybody's to execute; all other kinds without one are their owner's alone.
-- ROUTINE takes no ORDER BY among an aggregate's arguments, only their types.
WITH listed (kind, classid, objid, objsubid, schema, name, identity, col, owner, list, builtin) AS (
    SELECT 'database', 'pg_database'::regclass, oid, 0, NULL::name, datname, quote_ident(datname), NULL::name, datdba,
           coalesce(datacl, acldefault('d', datdba)), NULL::aclitem[]
    FROM pg_database
    UNION ALL
    SELECT 'schema', 'pg_namespace'::regclass, oid, 0, nspname, NULL, quote_ident(nspname), NULL, nspowner, nspacl, NULL
    FROM pg_namespace WHERE nspacl IS NOT NULL
    UNION ALL
    SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, 'pg_class'::regclass, c.oid, 0, nspname, relname,
           quote_ident(nspname) || '.' || quote_ident(relname), NULL, relowner, relacl, NULL
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relacl IS NOT NULL
    UNION ALL
    SELECT 'table', 'pg_class'::regclass, c.oid, attnum, nspname, relname,
           quote_ident(nspname) || '.' || quote_ident(relname), attname, relowner, attacl, NULL
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE attacl IS NOT NULL AND NOT attisdropped
    UNION ALL
    SELECT 'function', 'pg_proc'::regclass, p.oid, 0, nspname, proname,
           quote_ident(nspname) || '.' || quote_ident(proname) || '(' ||
           CASE p.prokind WHEN 'a' THEN oidvectortypes(p.proargtypes) ELSE pg_get_function_identity_arguments(p.oid) END || ')',
           NULL, proowner, coalesce(proacl, acldefault('f', proowner)), acldefault('f', proowner)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
    WHERE proacl IS NOT NULL OR p.oid >= 16384
    UNION ALL
    SELECT 'type', 'pg_type'::regclass, t.oid, 0, nspname, typname, quote_ident(nspname) || '.' || quote_ident(typname),
           NULL, typowner, typacl, acldefault('T', typowner)
    FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE typacl IS NOT NULL
    UNION ALL
    SELECT 'large object', 'pg_largeobject'::regclass, oid, 0, NULL, oid::text, oid::text, NULL, lomowner, lomacl, NULL
    FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL
    UNION ALL
    SELECT 'language', 'pg_language'::regclass, oid, 0, NULL, lanname, quote_ident(lanname), NULL, lanowner, lanacl,
           acldefault('l', lanowner)
    FROM pg_language WHERE lanacl IS NOT NULL
    UNION ALL
    SELECT 'foreign-data wrapper', 'pg_foreign_data_wrapper'::regclass, oid, 0, NULL, fdwname, quote_ident(fdwname), NULL,
           fdwowner, fdwacl, NULL
    FROM pg_foreign_data_wrapper WHERE fdwacl IS NOT NULL
    UNION ALL
    SELECT 'foreign server', 'pg_foreign_server'::regclass, oid, 0, NULL, srvname, quote_ident(srvname), NULL, srvowner,
           srvacl, NULL
    FROM pg_foreign_server WHERE srvacl IS NOT NULL
    UNION ALL
    SELECT 'tablespace', 'pg_tablespace'::regclass, oid, 0, NULL, spcname, quote_ident(spcname), NULL, spcowner, spcacl, NULL
    FROM pg_tablespace WHERE spcacl IS NOT NULL
)
SELECT l.kind, l.schema, l.name, l.identity, l.col AS "column", pg_get_userbyid(l.owner) AS owner,
       CASE a.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(a.grantee) END AS grantee,
       pg_get_userbyid(a.grantor) AS grantor, a.privilege_type AS "right", a.is_grantable AS grantable,
       i.objoid IS NOT NULL AND (i.privtype = 'e' OR l.schema = 'pg_catalog') AS guarded
FROM listed l
CROSS JOIN aclexplode(l.list) a
LEFT JOIN pg_init_privs i ON i.classoid = l.classid AND i.objoid = l.objid AND i.objsubid = l.objsubid
WHERE a.grantee <> l.owner
  -- What initdb gave on `public` stands in for nothing: the declaration says what PUBLIC keeps there.
  AND NOT EXISTS (SELECT FROM aclexplode(i.initprivs) e
                  WHERE (i.privtype = 'e' OR l.schema = 'pg_catalog') AND e.grantee = a.grantee
                    AND e.privilege_type = a.privilege_type AND e.is_grantable = a.is_grantable)
  -- Its lists are made after initdb has noted those of the rest.
  AND NOT (a.grantee = 0 AND l.schema IS NOT DISTINCT FROM 'information_schema' AND l.objid < 16384
           AND a.privilege_type IN ('SELECT', 'USAGE'))
  -- A range's own functions are the server's making, as an extension's are the extension's.
  AND NOT (a.grantee = 0 AND l.builtin IS NOT NULL
           AND (l.kind <> 'function'
                OR i.objoid IS NULL
                   AND (l.objid < 16384
                        OR EXISTS (SELECT FROM pg_depend d
                                   WHERE d.classid = l.classid AND d.objid = l.objid
                                     AND (d.deptype = 'e' OR d.deptype = 'i' AND d.refclassid = 'pg_type'::regclass)))))
  AND (l.schema IS NULL OR l.schema NOT LIKE 'pg\_temp\_%%' AND l.schema NOT LIKE 'pg\_toast\_temp\_%%')
