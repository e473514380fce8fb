"""Damages of access lists: what is granted and should not be, and what should be and is not."""

from tests.engine.admins import BACKEND
from tests.engine.damaged.damage import damage
from tests.engine.damaged.stack import FIELD

GRANTS = {
    "table to another service": damage(
        "undeclared grant", "sankore_user on table madansara.things", "GRANT SELECT ON madansara.things TO sankore_user"
    ),
    "all on all tables": damage(
        "undeclared grant",
        "sankore_user on table madansara.counted, madansara.parts, madansara.parts_2026 and 2 more (182ee451)",
        "GRANT ALL ON ALL TABLES IN SCHEMA madansara TO sankore_user",
    ),
    "table to PUBLIC": damage(
        "undeclared grant", "PUBLIC on table onside.things", "GRANT INSERT ON onside.things TO PUBLIC"
    ),
    "view": damage(
        "undeclared grant", "madansara_user on table onside.seen", "GRANT SELECT ON onside.seen TO madansara_user"
    ),
    "materialized view": damage(
        "undeclared grant", "madansara_user on table onside.counted", "GRANT SELECT ON onside.counted TO madansara_user"
    ),
    "partitioned table": damage(
        "undeclared grant", "madansara_user on table onside.parts", "GRANT UPDATE ON onside.parts TO madansara_user"
    ),
    "partition": damage(
        "undeclared grant",
        "madansara_user on table onside.parts_2026",
        "GRANT SELECT ON onside.parts_2026 TO madansara_user",
    ),
    "foreign table": damage(
        "undeclared grant",
        "sankore_user on table madansara.far",
        "CREATE FOREIGN DATA WRAPPER none",
        "CREATE SERVER far FOREIGN DATA WRAPPER none",
        "CREATE FOREIGN TABLE madansara.far (id int) SERVER far",
        "ALTER FOREIGN TABLE madansara.far OWNER TO madansara_user",
        "GRANT SELECT ON madansara.far TO analytics_readonly",
        "GRANT SELECT ON madansara.far TO sankore_user",
        undo=("DROP FOREIGN DATA WRAPPER none CASCADE",),
    ),
    "column": damage(
        "undeclared grant",
        "onside_user on table madansara.things",
        "GRANT SELECT (word), UPDATE (word) ON madansara.things TO onside_user",
    ),
    "another column of a declared read": damage(
        "undeclared grant",
        "madansara_user on table public.brands",
        "GRANT SELECT (name) ON public.brands TO madansara_user",
    ),
    "write on a declared read": damage(
        "undeclared grant", "madansara_user on table public.users", "GRANT UPDATE ON public.users TO madansara_user"
    ),
    "an outside role's way to its owner's rights": damage(
        "undeclared grant",
        f"{BACKEND} on table public.users",
        f"GRANT ALL ON public.users TO {BACKEND}",
        undo=(f"REVOKE ALL ON public.users FROM {BACKEND}",),
    ),
    "an outside role's way through a column": damage(
        "undeclared grant",
        f"{BACKEND} on table public.users",
        f"GRANT REFERENCES (id) ON public.users TO {BACKEND}",
    ),
    "undeclared table of public": damage(
        "undeclared grant",
        "onside_user on table public.brand_users",
        "GRANT SELECT ON public.brand_users TO onside_user",
    ),
    "table of public to PUBLIC": damage(
        "undeclared grant", "PUBLIC on table public.brand_users", "GRANT SELECT ON public.brand_users TO PUBLIC"
    ),
    "write of analytics": damage(
        "undeclared grant",
        "analytics_readonly on table onside.things",
        "GRANT DELETE ON onside.things TO analytics_readonly",
    ),
    "sequence": damage(
        "undeclared grant",
        "analytics_readonly on sequence onside.things_id_seq",
        "GRANT USAGE ON SEQUENCE onside.things_id_seq TO analytics_readonly",
    ),
    "function to PUBLIC": damage(
        "undeclared grant",
        "PUBLIC on function onside.one(number integer)",
        "GRANT EXECUTE ON FUNCTION onside.one TO PUBLIC",
    ),
    "procedure": damage(
        "undeclared grant",
        "sankore_user on function onside.done()",
        "GRANT EXECUTE ON PROCEDURE onside.done TO sankore_user",
    ),
    "aggregate": damage(
        "undeclared grant",
        "sankore_user on function onside.total(integer)",
        "GRANT EXECUTE ON FUNCTION onside.total(integer) TO sankore_user",
    ),
    "type": damage(
        "undeclared grant", "sankore_user on type onside.mood", "GRANT USAGE ON TYPE onside.mood TO sankore_user"
    ),
    "domain": damage(
        "undeclared grant", "sankore_user on type onside.short", "GRANT USAGE ON DOMAIN onside.short TO sankore_user"
    ),
    "large object": damage(
        "undeclared grant",
        "sankore_user on large object 4242",
        "SELECT lo_create(4242)",
        "GRANT SELECT ON LARGE OBJECT 4242 TO sankore_user",
        undo=("SELECT lo_unlink(4242)",),
    ),
    "schema": damage(
        "undeclared grant", "onside_user on schema madansara", "GRANT USAGE ON SCHEMA madansara TO onside_user"
    ),
    "schema with an odd name": damage(
        "undeclared grant", f"onside_user on schema {FIELD}", f"GRANT CREATE ON SCHEMA {FIELD} TO onside_user"
    ),
    "table in a schema with an odd name": damage(
        "undeclared grant",
        f"onside_user on table {FIELD}.things",
        f"GRANT SELECT ON {FIELD}.things TO onside_user",
    ),
    "create in public": damage(
        "undeclared grant", "PUBLIC on schema public", "GRANT CREATE ON SCHEMA public TO PUBLIC"
    ),
    "an undeclared schema": damage(
        "undeclared grant",
        "PUBLIC on schema attic",
        "CREATE SCHEMA attic",
        "GRANT USAGE ON SCHEMA attic TO PUBLIC",
        undo=("DROP SCHEMA attic",),
    ),
    "grant to an undeclared role": damage(
        "undeclared grant",
        "snoop on table madansara.things",
        "CREATE ROLE snoop LOGIN",
        "GRANT SELECT ON madansara.things TO snoop",
        undo=("DROP ROLE snoop",),
    ),
    "connect for an undeclared role": damage(
        "undeclared grant",
        "snoop on database railway",
        "CREATE ROLE snoop LOGIN",
        "GRANT CONNECT ON DATABASE railway TO snoop",
        undo=("DROP ROLE snoop",),
    ),
    "connect for PUBLIC": damage(
        "undeclared grant", "PUBLIC on database railway", "GRANT CONNECT ON DATABASE railway TO PUBLIC"
    ),
    "create on the database": damage(
        "undeclared grant", "onside_user on database railway", "GRANT CREATE ON DATABASE railway TO onside_user"
    ),
    "another database": damage(
        "undeclared grant", "onside_user on database postgres", "GRANT CREATE ON DATABASE postgres TO onside_user"
    ),
    "temporary tables of analytics": damage(
        "undeclared grant",
        "analytics_readonly on database railway",
        "GRANT TEMPORARY ON DATABASE railway TO analytics_readonly",
    ),
    "more for an outside role": damage(
        "undeclared grant", f"{BACKEND} on database railway", f"GRANT CREATE ON DATABASE railway TO {BACKEND}"
    ),
    "a catalog of the system's": damage(
        "undeclared grant", "onside_user on table pg_catalog.pg_authid", "GRANT SELECT ON pg_authid TO onside_user"
    ),
    "a function of the system's": damage(
        "undeclared grant",
        "PUBLIC on function pg_catalog.pg_read_file(text)",
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO PUBLIC",
    ),
    "language": damage(
        "undeclared grant",
        "onside_user on language plpgsql",
        "GRANT USAGE ON LANGUAGE plpgsql TO onside_user",
    ),
    "foreign server": damage(
        "undeclared grant",
        "onside_user on foreign server far",
        "CREATE FOREIGN DATA WRAPPER none",
        "CREATE SERVER far FOREIGN DATA WRAPPER none",
        "GRANT USAGE ON FOREIGN SERVER far TO onside_user",
        undo=("DROP FOREIGN DATA WRAPPER none CASCADE",),
    ),
    "parameter": damage(
        "undeclared grant",
        "onside_user on parameter log_statement",
        "GRANT SET ON PARAMETER log_statement TO onside_user",
        since=15,
    ),
    "grant option": damage(
        "grant option",
        "analytics_readonly on table onside.things",
        "GRANT SELECT ON onside.things TO analytics_readonly WITH GRANT OPTION",
    ),
    "grant by one who may grant on": damage(
        "grant option",
        "analytics_readonly on table onside.things",
        "GRANT SELECT ON onside.things TO analytics_readonly WITH GRANT OPTION",
        "SET ROLE analytics_readonly",
        "GRANT SELECT ON onside.things TO madansara_user",
        "RESET ROLE",
    ),
    "connect of a service": damage(
        "grant", "madansara_user on database railway", "REVOKE CONNECT ON DATABASE railway FROM madansara_user"
    ),
    "usage of analytics": damage(
        "grant", "analytics_readonly on schema onside", "REVOKE USAGE ON SCHEMA onside FROM analytics_readonly"
    ),
    "usage of a reader": damage(
        "grant", "sankore_user on schema onside", "REVOKE USAGE ON SCHEMA onside FROM sankore_user"
    ),
    "usage of PUBLIC": damage("grant", "PUBLIC on schema public", "REVOKE USAGE ON SCHEMA public FROM PUBLIC"),
    "declared read": damage(
        "grant", "madansara_user on table public.users", "REVOKE SELECT ON public.users FROM madansara_user"
    ),
    "declared column": damage(
        "grant", "madansara_user on table public.brands", "REVOKE SELECT (id) ON public.brands FROM madansara_user"
    ),
    "table of analytics": damage(
        "grant", "analytics_readonly on table onside.things", "REVOKE SELECT ON onside.things FROM analytics_readonly"
    ),
    "sequence of analytics": damage(
        "grant",
        "analytics_readonly on sequence onside.things_id_seq",
        "REVOKE SELECT ON onside.things_id_seq FROM analytics_readonly",
    ),
    "outside role": damage("grant", f"{BACKEND} on schema public", f"REVOKE CREATE ON SCHEMA public FROM {BACKEND}"),
    "owner's own table": damage(
        "owner's right", "onside_user on table onside.things", "REVOKE INSERT ON onside.things FROM onside_user"
    ),
    "owner's own schema": damage(
        "owner's right", "onside_user on schema onside", "REVOKE CREATE ON SCHEMA onside FROM onside_user"
    ),
    "view over another's table": damage(
        "undeclared grant",
        "onside_user on table public.peek",
        "CREATE VIEW public.peek AS SELECT * FROM madansara.things",
        "GRANT SELECT ON public.peek TO analytics_readonly, onside_user",
        undo=("DROP VIEW public.peek",),
    ),
    "large object to PUBLIC": damage(
        "undeclared grant",
        "PUBLIC on large object 4242",
        "SELECT lo_create(4242)",
        "GRANT SELECT ON LARGE OBJECT 4242 TO PUBLIC",
        undo=("SELECT lo_unlink(4242)",),
    ),
    "foreign-data wrapper to PUBLIC": damage(
        "undeclared grant",
        'PUBLIC on foreign-data wrapper "none"',
        "CREATE FOREIGN DATA WRAPPER none",
        "GRANT USAGE ON FOREIGN DATA WRAPPER none TO PUBLIC",
        undo=("DROP FOREIGN DATA WRAPPER none",),
    ),
    "the whole of a table of which columns are declared": damage(
        "undeclared grant", "madansara_user on table public.brands", "GRANT SELECT ON public.brands TO madansara_user"
    ),
    "files for an undeclared role": damage(
        "undeclared grant",
        "snoop on function pg_catalog.pg_read_file(text)",
        "CREATE ROLE snoop LOGIN",
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO snoop",
        undo=("DROP ROLE snoop",),
    ),
    "a function that an extension kept to itself": damage(
        "undeclared grant",
        "PUBLIC on function public.pg_stat_statements_reset(userid oid, dbid oid, queryid bigint)",
        "CREATE EXTENSION pg_stat_statements SCHEMA public VERSION '1.8'",
        "GRANT EXECUTE ON FUNCTION public.pg_stat_statements_reset(oid, oid, bigint) TO PUBLIC",
        undo=("DROP EXTENSION pg_stat_statements",),
    ),
    "owner's own type": damage(
        "owner's right", "onside_user on type onside.mood", "REVOKE USAGE ON TYPE onside.mood FROM onside_user"
    ),
    "grant option on what is made later": damage(
        "grant option",
        "analytics_readonly on tables that onside_user makes in onside",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user IN SCHEMA onside"
        " GRANT SELECT ON TABLES TO analytics_readonly WITH GRANT OPTION",
    ),
}
