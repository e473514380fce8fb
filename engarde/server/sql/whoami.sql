-- Who one is after logging in, and what the session has started with [milliseconds].
SELECT current_user::text AS "user",
       (SELECT reset_val FROM pg_settings WHERE name = 'search_path') AS search_path,
       (SELECT reset_val::bigint FROM pg_settings WHERE name = 'statement_timeout') AS statement_timeout,
       (SELECT reset_val::bigint FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout')
       AS idle_in_transaction_session_timeout
