-- What is in these schemas and not these owners', and what these roles own in all others: everything that has an owner,
-- unless it came with an extension or goes with the table it belongs to.
WITH owned (classid, objid, kind, schema, name, identity, owner) AS (
    SELECT 'pg_class'::regclass, c.oid,
           CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                        WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END,
           relnamespace, relname, quote_ident(relname), relowner
    FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, 'routine', pronamespace, proname,
           quote_ident(proname) || '(' ||
           CASE prokind WHEN 'a' THEN oidvectortypes(proargtypes) ELSE pg_get_function_identity_arguments(oid) END || ')', proowner
    FROM pg_proc
    UNION ALL
    -- Not the types of tables and of arrays, which follow their table's or their element's owner.
    SELECT 'pg_type'::regclass, oid, CASE typtype WHEN 'd' THEN 'domain' ELSE 'type' END, typnamespace, typname,
           quote_ident(typname), typowner
    FROM pg_type t WHERE typrelid = 0 AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
                     AND typtype <> 'm'
    UNION ALL
    SELECT 'pg_collation'::regclass, oid, 'collation', collnamespace, collname, quote_ident(collname), collowner
    FROM pg_collation
    UNION ALL
    SELECT 'pg_conversion'::regclass, oid, 'conversion', connamespace, conname, quote_ident(conname), conowner
    FROM pg_conversion
    UNION ALL
    SELECT 'pg_operator'::regclass, oid, 'operator', oprnamespace, oprname,
           oprname || ' (' || CASE oprleft WHEN 0 THEN 'NONE' ELSE format_type(oprleft, NULL) END || ', '
           || CASE oprright WHEN 0 THEN 'NONE' ELSE format_type(oprright, NULL) END || ')', oprowner
    FROM pg_operator
    UNION ALL
    SELECT 'pg_opclass'::regclass, c.oid, 'operator class', opcnamespace, opcname,
           quote_ident(opcname) || ' USING ' || quote_ident(amname), opcowner
    FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
    UNION ALL
    SELECT 'pg_opfamily'::regclass, f.oid, 'operator family', opfnamespace, opfname,
           quote_ident(opfname) || ' USING ' || quote_ident(amname), opfowner
    FROM pg_opfamily f JOIN pg_am a ON a.oid = opfmethod
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, oid, 'statistics', stxnamespace, stxname, quote_ident(stxname), stxowner
    FROM pg_statistic_ext
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, oid, 'text search dictionary', dictnamespace, dictname, quote_ident(dictname), dictowner
    FROM pg_ts_dict
    UNION ALL
    SELECT 'pg_ts_config'::regclass, oid, 'text search configuration', cfgnamespace, cfgname, quote_ident(cfgname), cfgowner
    FROM pg_ts_config
)
SELECT o.kind, n.nspname::text AS schema, o.name, quote_ident(n.nspname) || '.' || o.identity AS identity,
       pg_get_userbyid(o.owner) AS owner,
       EXISTS (SELECT FROM pg_proc WHERE o.classid = 'pg_proc'::regclass AND oid = o.objid AND prosecdef)
       OR EXISTS (SELECT FROM pg_rewrite WHERE o.classid = 'pg_class'::regclass AND ev_class = o.objid AND ev_type <> '1')
           AS definer,
       EXISTS (SELECT FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
               WHERE o.classid = 'pg_class'::regclass AND i.inhrelid = o.objid AND p.relowner <> o.owner) AS of_another,
       -- A table takes its indexes and sequences along, and has a type of its name.
       CASE WHEN o.classid IN ('pg_class'::regclass, 'pg_type'::regclass)
            THEN EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = home.oid AND c.relname IN (
                             SELECT o.name
                             UNION ALL
                             SELECT relname FROM pg_index JOIN pg_class x ON x.oid = indexrelid WHERE indrelid = o.objid
                             UNION ALL
                             SELECT relname FROM pg_depend d JOIN pg_class x ON x.oid = d.objid
                             WHERE d.classid = o.classid AND d.refclassid = o.classid AND d.refobjid = o.objid AND relkind = 'S'))
                 OR EXISTS (SELECT FROM pg_type t WHERE t.typnamespace = home.oid AND t.typname = o.name)
            WHEN o.classid = 'pg_proc'::regclass
            THEN EXISTS (SELECT FROM pg_proc a JOIN pg_proc b USING (proname, proargtypes)
                         WHERE a.oid = o.objid AND b.pronamespace = home.oid)
            WHEN o.classid = 'pg_operator'::regclass
            THEN EXISTS (SELECT FROM pg_operator a JOIN pg_operator b USING (oprname, oprleft, oprright)
                         WHERE a.oid = o.objid AND b.oprnamespace = home.oid)
            ELSE EXISTS (SELECT FROM owned h WHERE h.classid = o.classid AND h.schema = home.oid AND h.name = o.name)
       END AS taken
FROM owned o
JOIN pg_namespace n ON n.oid = o.schema
LEFT JOIN unnest(%(schemas)s::text[], %(owners)s::text[]) AS own (schema, owner) ON own.owner = pg_get_userbyid(o.owner)
LEFT JOIN pg_namespace home ON home.nspname = own.schema
LEFT JOIN unnest(%(schemas)s::text[], %(owners)s::text[]) AS declared (schema, owner) ON declared.schema = n.nspname
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema'
  AND CASE WHEN declared.owner IS NULL THEN pg_get_userbyid(o.owner) = ANY (%(roles)s)
           ELSE pg_get_userbyid(o.owner) <> declared.owner END
  -- The sequence of a serial or identity column is its table's, and cannot be given away by itself; a range's functions
  -- are the server's making.
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid
                  AND (d.deptype = 'e' OR o.kind = 'routine' AND d.deptype = 'i' OR o.kind = 'sequence' AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0))
UNION ALL
-- What lies in no schema. Large objects may be a service's, and not a reader's.
SELECT kind, '', name, identity, owner, false, false, false
FROM (SELECT 'publication', pubname, quote_ident(pubname), pg_get_userbyid(pubowner) FROM pg_publication
      UNION ALL
      SELECT 'server', srvname, quote_ident(srvname), pg_get_userbyid(srvowner) FROM pg_foreign_server
      UNION ALL
      SELECT 'foreign data wrapper', fdwname, quote_ident(fdwname), pg_get_userbyid(fdwowner) FROM pg_foreign_data_wrapper
      UNION ALL
      SELECT 'language', lanname, quote_ident(lanname), pg_get_userbyid(lanowner) FROM pg_language
      UNION ALL
      SELECT 'event trigger', evtname, quote_ident(evtname), pg_get_userbyid(evtowner) FROM pg_event_trigger
      UNION ALL
      SELECT 'tablespace', spcname, quote_ident(spcname), pg_get_userbyid(spcowner) FROM pg_tablespace
      UNION ALL
      SELECT 'large object', oid::text, oid::text, pg_get_userbyid(lomowner) FROM pg_largeobject_metadata
      WHERE pg_get_userbyid(lomowner) <> ALL (%(owners)s)) AS apart (kind, name, identity, owner)
WHERE owner = ANY (%(roles)s)
ORDER BY 2, 1, 3
