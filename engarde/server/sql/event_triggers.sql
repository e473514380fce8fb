-- Event triggers that fire, the function that each runs as whoever makes, changes or drops anything, and which roles
-- but superusers and those that are trusted may change that.
SELECT quote_ident(evtname) AS name, evtevent AS event, format('%%I.%%I()', nspname, proname) AS code, nspname AS schema,
       prosecdef AS definer, pg_get_userbyid(proowner) AS owner,
       ARRAY(SELECT rolname::text FROM pg_roles r
             WHERE NOT rolsuper AND rolname <> ALL (%(trusted)s) AND pg_has_role(r.oid, proowner, 'MEMBER') ORDER BY 1) AS changers
FROM pg_event_trigger JOIN pg_proc p ON p.oid = evtfoid JOIN pg_namespace n ON n.oid = pronamespace
WHERE evtenabled IN ('O', 'A')
ORDER BY evtname
