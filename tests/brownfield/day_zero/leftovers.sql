-- What somebody has done as the superuser in between.
ALTER TABLE public.onside_settings OWNER TO onside_user;
-- As the guide says under "Slow Queries by Schema".
CREATE EXTENSION pg_stat_statements;
-- What is known of statements begins with the clients'.
SELECT public.pg_stat_statements_reset();
