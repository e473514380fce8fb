-- Removes every large object of the connected role.
SELECT count(lo_unlink(oid)) AS done
FROM pg_largeobject_metadata WHERE lomowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
