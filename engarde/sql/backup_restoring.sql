-- Makes this transaction one that a dump can be loaded in: nobody else loads into the schema meanwhile, nobody is kept
-- waiting behind it for long, and functions may speak of what is not there yet. Says which transaction it is.
SELECT pg_try_advisory_xact_lock(hashtextextended('engarde restore ' || %(schema)s, 0)) AS alone,
       pg_current_xact_id()::text AS transaction,
       (SELECT count(set_config(name, value, true))
        FROM (VALUES ('lock_timeout', '10s'), ('check_function_bodies', 'off'), ('client_min_messages', 'error'),
                     ('default_tablespace', ''), ('xmloption', 'content')) AS wanted (name, value)) AS settings
