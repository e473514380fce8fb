-- What the server keeps of these roles' passwords; for a superuser alone.
SELECT rolname AS role, rolpassword AS stored FROM pg_authid WHERE rolname = ANY (%(roles)s)
