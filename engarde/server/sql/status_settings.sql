-- engarde status: these settings as SHOW prints them; those that this role may not see are NULL.
SELECT given.name, current_setting(s.name) AS value, coalesce(s.pending_restart, false) AS waits_for_restart
FROM unnest(%(names)s::text[]) AS given (name) LEFT JOIN pg_settings s ON s.name = given.name
