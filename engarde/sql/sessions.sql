-- How many sessions each role has on the server now.
SELECT usename AS role, count(*) AS number FROM pg_stat_activity WHERE usename IS NOT NULL GROUP BY 1
