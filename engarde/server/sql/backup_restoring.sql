-- Makes this transaction one that a dump can be loaded in: nobody is kept waiting behind it for long, and functions may
-- speak of what is not there yet. Says which transaction it is, and which process of this role loads into the schema
-- already. Every role may take the advisory lock; one of another role counts for nothing, since two that load at once
-- meet at the names that both make, and one of them changes nothing.
WITH wanted AS MATERIALIZED (SELECT hashtextextended('engarde restore ' || %(schema)s, 0) AS key)
SELECT pg_try_advisory_xact_lock(key) AS taken,
       (SELECT min(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND usename = session_user AND pid <> pg_backend_pid()
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (classid::bigint << 32 | objid::bigint) = key) AS other,
       pg_current_xact_id()::text AS transaction,
       (SELECT count(set_config(name, value, true))
        FROM (VALUES ('lock_timeout', '10s'), ('check_function_bodies', 'off'), ('client_min_messages', 'error'),
                     ('default_tablespace', ''), ('xmloption', 'content')) AS wanted (name, value)) AS settings
FROM wanted
