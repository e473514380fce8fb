-- engarde status: the server, this database, and who asks.
SELECT current_setting('server_version') AS version, current_user::text AS role,
       has_function_privilege('pg_ls_dir(text)', 'EXECUTE')
       AND has_function_privilege('pg_stat_file(text, boolean)', 'EXECUTE') AS sees_files,
       d.oid::bigint AS database_oid, pg_is_in_recovery() AS standby,
       extract(epoch FROM pg_postmaster_start_time())::float8 AS started,
       extract(epoch FROM pg_stat_get_db_stat_reset_time(d.oid))::float8 AS counted_since,
       pg_stat_get_db_blocks_hit(d.oid) AS blocks_hit,
       pg_stat_get_db_blocks_fetched(d.oid) - pg_stat_get_db_blocks_hit(d.oid) AS blocks_read,
       pg_stat_get_db_deadlocks(d.oid) AS deadlocks, pg_stat_get_db_temp_bytes(d.oid) AS temp_bytes,
       age(d.datfrozenxid) AS transaction_age, mxid_age(d.datminmxid) AS multixact_age
FROM pg_database d WHERE d.datname = current_database()
