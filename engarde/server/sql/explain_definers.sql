-- Functions that do what their owner may, whoever calls them: not the system's, and not those that only triggers call.
SELECT oid::bigint AS oid
FROM pg_proc
WHERE prosecdef AND pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
