-- The extensions that the connected role can have without a superuser: those that are there, and trusted ones.
SELECT name FROM pg_available_extensions e
WHERE installed_version IS NOT NULL
   OR EXISTS (SELECT FROM pg_available_extension_versions v
              WHERE v.name = e.name AND v.version = e.default_version AND (v.trusted OR NOT v.superuser))
