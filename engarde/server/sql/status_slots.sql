-- engarde status: the replication slots that nobody reads from now, and how much WAL each keeps: nothing where it was
-- never read from, or where the server has given up on it.
SELECT slot_name::text AS slot, slot_type AS kind, database::text AS database,
       CASE WHEN restart_lsn IS NULL OR wal_status = 'lost' THEN 0
            WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), restart_lsn)
            ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)
       END::bigint AS retained_bytes
FROM pg_replication_slots WHERE NOT active
ORDER BY 4 DESC, 1
