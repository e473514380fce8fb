-- What became of a transaction; nothing where that is long ago.
SELECT pg_xact_status(%(transaction)s::text::xid8) AS state
