-- The schemas that the scripts of these extensions search, as far as an extension is yet to be made, or to get another
-- version: the one that it is in, and those of what it requires.
WITH wanted (name, schema) AS (
    SELECT w.name, coalesce(n.nspname, w.schema)
    FROM unnest(%(names)s::text[], %(schemas)s::text[], %(versions)s::text[]) w (name, schema, version)
    LEFT JOIN pg_extension e ON e.extname = w.name
    LEFT JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.oid IS NULL OR e.extversion <> w.version
)
SELECT schema AS value FROM wanted
UNION
SELECT n.nspname FROM wanted w
JOIN pg_available_extension_versions v ON v.name = w.name
JOIN pg_extension e ON e.extname = ANY (v.requires)
JOIN pg_namespace n ON n.oid = e.extnamespace
ORDER BY 1
