-- What another session takes to see exactly what this one sees.
SELECT pg_export_snapshot() AS name
