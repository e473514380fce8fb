-- What runs a function, reads a view or keeps to a domain that another role than the admin and superusers may change:
-- one row for each thing and each such piece of code, and one of the kind `unread` if these are not all. Nothing is planned or run for it: pg_depend knows.
WITH RECURSIVE untrusted (oid) AS (
    SELECT oid FROM pg_roles WHERE NOT rolsuper AND rolname <> %(admin)s
),
changeable (classid, objid, owner) AS (
    SELECT 'pg_proc'::regclass::oid, oid, proowner FROM pg_proc WHERE proowner IN (SELECT oid FROM untrusted)
    UNION ALL
    SELECT 'pg_type'::regclass, oid, typowner FROM pg_type WHERE typtype = 'd' AND typowner IN (SELECT oid FROM untrusted)
    UNION ALL
    SELECT 'pg_class'::regclass, oid, relowner FROM pg_class WHERE relkind = 'v' AND relowner IN (SELECT oid FROM untrusted)
),
-- What is no use of code by itself and leads on to what uses it, as long as it is the same owner's.
passing (classid, objid, owner) AS (
    SELECT 'pg_type'::regclass::oid, oid, typowner FROM pg_type
    UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner FROM pg_operator
    UNION ALL SELECT 'pg_class'::regclass, oid, relowner FROM pg_class WHERE relkind = 'c'
),
-- What a value of a domain is, at any depth, of what refers to another table.
based (oid, base) AS (
    SELECT DISTINCT atttypid, atttypid FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
    WHERE contype = 'f'
    UNION ALL
    SELECT b.oid, typbasetype FROM based b JOIN pg_type t ON t.oid = b.base WHERE typtype = 'd'
),
uses (classid, objid, objsubid, refclassid, refobjid) AS (
    -- A function, an operator or a cast is no use of the types that it takes.
    SELECT classid, objid, objsubid, refclassid, refobjid FROM pg_depend
    WHERE deptype IN ('n', 'a', 'i')
      AND CASE refclassid WHEN 'pg_proc'::regclass THEN classid <> 'pg_class'::regclass OR objsubid = 0
                          WHEN 'pg_operator'::regclass THEN classid <> 'pg_class'::regclass OR objsubid = 0
                          WHEN 'pg_type'::regclass
                          THEN classid NOT IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass, 'pg_cast'::regclass)
                          WHEN 'pg_class'::regclass THEN classid = 'pg_rewrite'::regclass END
    UNION ALL
    -- Up to 14 a generated column itself depends on what its expression calls.
    SELECT 'pg_attrdef'::regclass, a.oid, 0, refclassid, refobjid
    FROM pg_depend JOIN pg_attrdef a ON adrelid = objid AND adnum = objsubid
    WHERE classid = 'pg_class'::regclass AND refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
    UNION ALL
    SELECT 'pg_type'::regclass, contypid, -1, d.refclassid, d.refobjid
    FROM pg_constraint c JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid
    WHERE contypid <> 0 AND d.refobjid <> contypid
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, -1, 'pg_class'::regclass, typrelid FROM pg_type t JOIN pg_class c ON c.oid = typrelid
    WHERE relkind = 'c'
    UNION ALL
    -- What is referred to is looked up as its owner, who has whatever refers to it cast to the operator's type.
    SELECT 'pg_constraint'::regclass, c.oid, 0, 'pg_proc'::regclass, castfunc
    FROM pg_constraint c CROSS JOIN LATERAL unnest(conkey, conpfeqop) AS pairs (key, operator)
    JOIN pg_attribute ON attrelid = conrelid AND attnum = key
    JOIN based b ON b.oid = atttypid
    JOIN pg_operator o ON o.oid = operator
    JOIN pg_cast ON castsource = b.base AND casttarget = oprright
    WHERE contype = 'f' AND conparentid = 0 AND castfunc <> 0
    UNION ALL
    SELECT 'pg_opclass'::regclass, c.oid, 0, 'pg_proc'::regclass, amproc FROM pg_amproc JOIN pg_opclass c ON opcfamily = amprocfamily
    UNION ALL
    SELECT 'pg_opclass'::regclass, c.oid, 0, 'pg_operator'::regclass, amopopr FROM pg_amop JOIN pg_opclass c ON opcfamily = amopfamily
),
reached (classid, objid, objsubid, code_classid, code, owner, leads) AS (
    SELECT classid, objid, 0, classid, objid, owner, true FROM changeable
    UNION
    SELECT u.classid, u.objid, u.objsubid, r.code_classid, r.code, r.owner, l.objid IS NOT NULL
    FROM reached r
    JOIN uses u ON u.refclassid = r.classid AND u.refobjid = r.objid
    LEFT JOIN passing l ON l.classid = u.classid AND l.objid = u.objid AND l.owner = r.owner
    WHERE r.leads
),
-- Types in types in types are soon more than any server has room for, so no more are looked for than asked.
found AS MATERIALIZED (
    SELECT * FROM reached WHERE (classid, objid) <> (code_classid, code) LIMIT %(most)s
),
relations (oid, schema, identity, kind, owner) AS (
    SELECT c.oid, nspname, quote_ident(nspname) || '.' || quote_ident(relname), relkind, relowner
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
),
-- What uses code, with the statement that ends it; of `evaluated` planning alone runs what depends on no row.
things (classid, objid, objsubid, kind, relation, name, owner, evaluated, remedy) AS (
    SELECT 'pg_trigger'::regclass::oid, t.oid, 0, 'trigger', tgrelid, quote_ident(tgname), NULL::oid, NULL::text,
           format('ALTER TABLE %%s DISABLE TRIGGER %%I', c.identity, tgname)
    FROM pg_trigger t JOIN relations c ON c.oid = tgrelid
    WHERE t.oid IN (SELECT objid FROM found) AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgparentid = 0
    UNION ALL
    SELECT 'pg_rewrite'::regclass, r.oid, 0, CASE WHEN ev_type <> '1' THEN 'rule' WHEN c.kind = 'm' THEN 'materialized view' ELSE 'view' END,
           ev_class, CASE WHEN ev_type <> '1' THEN quote_ident(rulename) END, NULL, NULL,
           CASE WHEN ev_type <> '1' THEN format('ALTER TABLE %%s DISABLE RULE %%I', c.identity, rulename) END
    FROM pg_rewrite r JOIN relations c ON c.oid = ev_class
    WHERE r.oid IN (SELECT objid FROM found) AND ev_enabled IN ('O', 'A')
    UNION ALL
    SELECT 'pg_attrdef'::regclass, d.oid, 0, CASE attgenerated WHEN '' THEN 'default' ELSE 'generated column' END,
           adrelid, quote_ident(attname), NULL, NULL,
           format('ALTER TABLE %%s ALTER COLUMN %%I DROP %%s', c.identity, attname,
                  CASE attgenerated WHEN '' THEN 'DEFAULT' ELSE 'EXPRESSION' END)
    FROM pg_attrdef d JOIN relations c ON c.oid = adrelid JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
    WHERE d.oid IN (SELECT objid FROM found)
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid, 0, CASE contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' ELSE 'constraint' END,
           conrelid, quote_ident(conname), (SELECT relowner FROM pg_class WHERE oid = confrelid),
           -- The plan of a reader leaves out the children of a table whose checks it refutes.
           CASE WHEN contype = 'c' AND EXISTS (SELECT FROM pg_inherits WHERE inhrelid = conrelid) THEN conbin::text END,
           format('ALTER TABLE %%s DROP CONSTRAINT %%I', c.identity, conname)
    FROM pg_constraint k JOIN relations c ON c.oid = conrelid WHERE k.oid IN (SELECT objid FROM found)
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid, 0, 'domain', 0, format('%%I.%%I', nspname, typname), typowner, NULL,
           format('ALTER DOMAIN %%I.%%I DROP CONSTRAINT %%I', nspname, typname, conname)
    FROM pg_constraint k JOIN pg_type t ON t.oid = contypid JOIN pg_namespace n ON n.oid = typnamespace
    WHERE k.oid IN (SELECT objid FROM found)
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, CASE typtype WHEN 'd' THEN 'domain' ELSE 'type' END, 0,
           format('%%I.%%I', nspname, typname), typowner, NULL,
           CASE WHEN typdefaultbin IS NOT NULL THEN format('ALTER DOMAIN %%I.%%I DROP DEFAULT', nspname, typname) END
    FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE typtype IN ('d', 'r') AND t.oid IN (SELECT objid FROM found)
    UNION ALL
    SELECT 'pg_policy'::regclass, p.oid, 0, 'policy', polrelid, quote_ident(polname), NULL, NULL,
           format('DROP POLICY %%I ON %%s', polname, c.identity)
    FROM pg_policy p JOIN relations c ON c.oid = polrelid JOIN pg_class r ON r.oid = polrelid WHERE relrowsecurity
    UNION ALL
    SELECT 'pg_class'::regclass, indexrelid, 0, 'index', indrelid, x.identity, NULL, concat(indexprs::text, indpred::text),
           '' || CASE WHEN conname IS NULL THEN 'DROP INDEX ' || x.identity
                      ELSE format('ALTER TABLE %%s DROP CONSTRAINT %%I', c.identity, conname) END
    FROM pg_index JOIN relations c ON c.oid = indrelid JOIN relations x ON x.oid = indexrelid
    LEFT JOIN pg_constraint k ON conindid = indexrelid AND conrelid = indrelid AND contype IN ('p', 'u', 'x')
    WHERE indexrelid IN (SELECT objid FROM found)
    UNION ALL
    SELECT 'pg_class'::regclass, oid, 0, 'partition key', oid, NULL, NULL, partexprs::text, NULL
    FROM pg_partitioned_table JOIN relations ON oid = partrelid
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, attnum, 'column', c.oid, quote_ident(attname), NULL, NULL,
           format('ALTER TABLE %%s ALTER COLUMN %%I TYPE %%s USING %%2$I::%%3$s', c.identity, attname,
                  CASE typtype WHEN 'd' THEN format_type(typbasetype, t.typtypmod) ELSE 'text' END)
    FROM pg_attribute a JOIN relations c ON c.oid = attrelid JOIN pg_type t ON t.oid = atttypid
    WHERE kind IN ('r', 'p', 'f') AND attnum > 0 AND NOT attisdropped AND c.oid IN (SELECT objid FROM found)
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, s.oid, 0, 'statistics', stxrelid, format('%%I.%%I', nspname, stxname), NULL,
           to_jsonb(s) ->> 'stxexprs', format('DROP STATISTICS %%I.%%I', nspname, stxname)
    FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = stxnamespace
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, CASE prokind WHEN 'a' THEN 'aggregate' ELSE 'function' END, 0, s.identity,
           proowner, NULL, 'DROP ROUTINE ' || s.identity
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
    CROSS JOIN LATERAL format('%%I.%%I(%%s)', nspname, proname,
                              CASE p.prokind WHEN 'a' THEN oidvectortypes(p.proargtypes) ELSE pg_get_function_identity_arguments(p.oid) END) s (identity)
    WHERE p.oid IN (SELECT objid FROM found)
    UNION ALL
    SELECT 'pg_operator'::regclass, o.oid, 0, 'operator', 0, s.identity, oprowner, NULL, 'DROP OPERATOR ' || s.identity
    FROM pg_operator o JOIN pg_namespace n ON n.oid = oprnamespace
    CROSS JOIN LATERAL format('%%I.%%s (%%s, %%s)', nspname, oprname,
                              CASE oprleft WHEN 0 THEN 'NONE' ELSE format_type(oprleft, NULL) END,
                              CASE oprright WHEN 0 THEN 'NONE' ELSE format_type(oprright, NULL) END) s (identity)
    WHERE o.oid IN (SELECT objid FROM found)
    UNION ALL
    SELECT 'pg_opclass'::regclass, o.oid, 0, 'operator class', 0, s.identity, opcowner, NULL, 'DROP OPERATOR CLASS ' || s.identity
    FROM pg_opclass o JOIN pg_namespace n ON n.oid = opcnamespace JOIN pg_am a ON a.oid = opcmethod
    CROSS JOIN LATERAL format('%%I.%%I USING %%I', nspname, opcname, amname) s (identity)
    WHERE o.oid IN (SELECT objid FROM found)
    UNION ALL
    -- It takes the owner of one of its types to make one: that one's.
    SELECT 'pg_cast'::regclass, k.oid, 0, 'cast', 0, s.identity, CASE a.typowner WHEN 10 THEN b.typowner ELSE a.typowner END,
           NULL, 'DROP CAST ' || s.identity
    FROM pg_cast k JOIN pg_type a ON a.oid = castsource JOIN pg_type b ON b.oid = casttarget
    CROSS JOIN LATERAL format('(%%s AS %%s)', format_type(castsource, NULL), format_type(casttarget, NULL)) s (identity)
    WHERE k.oid IN (SELECT objid FROM found)
)
SELECT t.kind, t.name, c.identity AS relation, c.schema, pg_get_userbyid(coalesce(t.owner, c.owner)) AS owner,
       s.kind AS code_kind, s.identity AS code, pg_get_userbyid(r.owner) AS code_owner, s.executors, s.ranged,
       -- Once for each thing: a tree may be as long as its owner likes.
       CASE row_number() OVER (PARTITION BY t.kind, c.identity, t.name) WHEN 1 THEN t.evaluated END AS evaluated,
       CASE WHEN s.immutable THEN ':funcid ' || r.code || ' ' END AS called,
       ARRAY(SELECT ':opno ' || oid || ' ' FROM pg_operator WHERE oprcode = r.code AND t.evaluated IS NOT NULL) AS operated,
       t.remedy,
       ARRAY(SELECT DISTINCT v.identity FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid JOIN relations v ON v.oid = w.ev_class
             WHERE t.kind = 'column' AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
               AND d.refobjid = t.relation AND d.refobjsubid = t.objsubid) AS views,
       ARRAY(SELECT v.identity FROM pg_index i JOIN relations v ON v.oid = indexrelid
             WHERE t.kind = 'column' AND s.ranged AND indrelid = t.relation AND t.objsubid = ANY (indkey)) AS indexes
FROM found r
JOIN things t ON t.classid = r.classid AND t.objid = r.objid AND t.objsubid = r.objsubid
LEFT JOIN relations c ON c.oid = t.relation
CROSS JOIN LATERAL (
    SELECT CASE prokind WHEN 'a' THEN 'aggregate' ELSE 'function' END,
           format('%%I.%%I(%%s)', nspname, proname,
                  CASE p.prokind WHEN 'a' THEN oidvectortypes(p.proargtypes) ELSE pg_get_function_identity_arguments(p.oid) END),
           provolatile = 'i',
           EXISTS (SELECT FROM pg_range WHERE p.oid IN (rngsubdiff, rngcanonical)),
           ARRAY(SELECT CASE grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(grantee) END
                 FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee <> proowner)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE r.code_classid = 'pg_proc'::regclass AND p.oid = r.code
    UNION ALL
    SELECT 'domain', format('%%I.%%I', nspname, typname), false, false, '{}'
    FROM pg_type y JOIN pg_namespace n ON n.oid = typnamespace WHERE r.code_classid = 'pg_type'::regclass AND y.oid = r.code
    UNION ALL
    SELECT 'view', identity, false, false, '{}' FROM relations v WHERE r.code_classid = 'pg_class'::regclass AND v.oid = r.code
) s (kind, identity, immutable, ranged, executors)
WHERE NOT (r.code_classid = 'pg_class'::regclass AND t.relation = r.code)
  -- Of what is the code's owner's own, only what runs when somebody reads.
  AND (coalesce(t.owner, c.owner) <> r.owner OR t.kind = 'view' OR t.kind = 'column' AND s.ranged OR t.evaluated IS NOT NULL)
  AND (c.schema IS NULL OR c.schema NOT LIKE 'pg\_temp\_%%')
UNION ALL
SELECT 'unread', NULL, NULL, NULL, pg_get_userbyid(most.owner), '', '', pg_get_userbyid(most.owner), '{}', false, NULL, NULL, '{}', NULL, '{}', '{}'
FROM (SELECT owner, sum(count(*)) OVER () AS uses FROM found GROUP BY owner ORDER BY count(*) DESC LIMIT 1) most
WHERE uses >= %(most)s
ORDER BY 1, 3, 2, 7
