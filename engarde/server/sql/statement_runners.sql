-- Views of roles other than the admin and superusers in which a function runs a statement that is in a text, or reads a
-- table that a text names, with the rights of whoever reads the view. Functions of initdb's are in no pg_depend.
WITH runners (oid, identity) AS (
    SELECT p.oid, format('%%I.%%I(%%s)', nspname, proname,
                         CASE p.prokind WHEN 'a' THEN oidvectortypes(p.proargtypes) ELSE pg_get_function_identity_arguments(p.oid) END)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
    WHERE p.oid < 16384 AND proname IN (
              'query_to_xml', 'query_to_xmlschema', 'query_to_xml_and_xmlschema', 'cursor_to_xml', 'cursor_to_xmlschema',
              'table_to_xml', 'table_to_xmlschema', 'table_to_xml_and_xmlschema', 'schema_to_xml', 'schema_to_xmlschema',
              'schema_to_xml_and_xmlschema', 'database_to_xml', 'database_to_xmlschema', 'database_to_xml_and_xmlschema',
              'ts_stat', 'set_config')
       OR p.oid < 16384 AND proname = 'ts_rewrite' AND pronargs = 2
       OR p.oid IN (SELECT objid FROM pg_depend d JOIN pg_extension e ON e.oid = refobjid
                    WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
                      AND extname IN ('dblink', 'xml2', 'tablefunc'))
          AND (proname LIKE 'dblink%%' OR proname IN ('xpath_table', 'connectby') OR proname LIKE 'crosstab%%')
),
-- As the trees have them, by itself and as an operator that somebody made of it.
calls (tree, identity) AS (
    SELECT 'funcid ' || oid, identity FROM runners
    UNION ALL SELECT 'opno ' || o.oid, identity FROM runners r JOIN pg_operator o ON oprcode = r.oid
),
pattern (text) AS (
    SELECT ':(' || string_agg(tree, '|') || ') ' FROM calls
)
SELECT format('%%I.%%I', nspname, relname) AS view, calls.identity AS code, rolname AS owner
FROM pg_rewrite w JOIN pg_class c ON c.oid = ev_class JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_roles o ON o.oid = relowner
CROSS JOIN pattern
CROSS JOIN LATERAL (SELECT DISTINCT found[1] AS tree FROM regexp_matches(ev_action::text, pattern.text, 'g') found) called
JOIN calls ON calls.tree = called.tree
WHERE relkind = 'v' AND NOT rolsuper AND rolname <> %(admin)s AND nspname NOT LIKE 'pg\_temp\_%%'
ORDER BY 1, 2
