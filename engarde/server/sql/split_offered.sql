-- The extensions that the connected role can make here: all there are for a superuser, trusted ones for others.
SELECT name::text FROM pg_available_extensions e
WHERE installed_version IS NOT NULL OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
   OR EXISTS (SELECT FROM pg_available_extension_versions v
              WHERE v.name = e.name AND v.version = e.default_version AND (v.trusted OR NOT v.superuser))
