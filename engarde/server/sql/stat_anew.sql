-- What pg_stat_activity shows stays the same within a transaction, unless it is forgotten.
SELECT pg_stat_clear_snapshot()
