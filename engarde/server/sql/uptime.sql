-- Since when the server runs (seconds).
SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::int AS seconds
