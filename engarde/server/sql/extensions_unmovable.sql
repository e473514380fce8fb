-- Which of these extensions are in another schema than the one that is wanted, and cannot be moved.
SELECT w.name, n.nspname AS schema, w.schema AS wanted
FROM unnest(%(names)s::text[], %(schemas)s::text[]) w (name, schema)
JOIN pg_extension e ON e.extname = w.name
JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE NOT extrelocatable AND n.nspname <> w.schema
ORDER BY 1
