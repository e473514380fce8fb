-- Which server this is, by whatever address it was reached, and whether it has a database of this name.
SELECT system_identifier::text || ' ' || pg_postmaster_start_time()::text AS identity,
       EXISTS (SELECT FROM pg_database WHERE datname = %(database)s) AS has_database
FROM pg_control_system()
