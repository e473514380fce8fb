-- How many more sessions the connected role may have; none where nothing limits it.
SELECT CASE WHEN rolconnlimit >= 0 THEN
           rolconnlimit - (SELECT count(*) FROM pg_stat_activity WHERE usesysid = r.oid AND backend_type = 'client backend')
       END AS left
FROM pg_roles r WHERE rolname = current_user
