-- What was read of sequences: those near their end, and how many of each schema could not be read.
SELECT n.nspname::text AS schema, c.relname::text AS name, (read ->> 'last')::bigint AS last,
       (read ->> 'ends')::bigint AS ends, (read ->> 'begins')::bigint AS begins, s.seqincrement AS step,
       0 AS unread
FROM jsonb_array_elements(current_setting('engarde.sequences')::jsonb) AS read
JOIN pg_sequence s ON s.seqrelid = (read ->> 'oid')::oid
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL
SELECT schema, NULL, NULL, NULL, NULL, NULL, count(*)::int
FROM jsonb_array_elements_text(current_setting('engarde.unread')::jsonb) AS schema
GROUP BY schema
