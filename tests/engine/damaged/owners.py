"""Damages of what is made and made later: owners, default privileges, and ways around the access lists."""

from tests.engine.admins import BACKEND
from tests.engine.damaged.damage import damage

OWNERS = {
    "future tables of analytics": damage(
        "default privileges",
        "analytics_readonly on tables that onside_user makes in onside",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user IN SCHEMA onside"
        " REVOKE SELECT ON TABLES FROM analytics_readonly",
    ),
    "future sequences of analytics": damage(
        "default privileges",
        f"analytics_readonly on sequences that {BACKEND} makes in public",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {BACKEND} IN SCHEMA public"
        " REVOKE SELECT ON SEQUENCES FROM analytics_readonly",
    ),
    "future functions": damage(
        "default privileges",
        "PUBLIC on functions that onside_user makes",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
    ),
    "future functions in the schema": damage(
        "undeclared default privileges",
        "PUBLIC on functions that onside_user makes in onside",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user IN SCHEMA onside GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
    ),
    "future tables of another": damage(
        "undeclared default privileges",
        "sankore_user on tables that madansara_user makes in madansara",
        "ALTER DEFAULT PRIVILEGES FOR ROLE madansara_user IN SCHEMA madansara GRANT SELECT ON TABLES TO sankore_user",
    ),
    "future tables of the backend": damage(
        "undeclared default privileges",
        f"PUBLIC on tables that {BACKEND} makes",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {BACKEND} GRANT SELECT ON TABLES TO PUBLIC",
    ),
    "own future tables": damage(
        "default privileges",
        "onside_user on tables that it makes itself",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onside_user REVOKE INSERT ON TABLES FROM onside_user",
    ),
    "a creator nobody declared": damage(
        "default privileges",
        "newcomer in public",
        "CREATE ROLE newcomer",
        "GRANT CREATE, USAGE ON SCHEMA public TO newcomer",
        undo=("REVOKE ALL ON SCHEMA public FROM newcomer", "DROP OWNED BY newcomer", "DROP ROLE newcomer"),
    ),
    "schema's owner": damage("owner", "schema sankore", "ALTER SCHEMA sankore OWNER TO postgres"),
    "dropped schema": damage("schema", "schema langflow", "DROP SCHEMA langflow"),
    "table's owner": damage("owner", "table onside.things", "ALTER TABLE onside.things OWNER TO postgres"),
    "partition's owner": damage(
        "owner", "table onside.parts_2026", "ALTER TABLE onside.parts_2026 OWNER TO sankore_user"
    ),
    "view's owner": damage("owner", "view onside.seen", "ALTER VIEW onside.seen OWNER TO postgres"),
    "materialized view's owner": damage(
        "owner", "materialized view onside.counted", "ALTER MATERIALIZED VIEW onside.counted OWNER TO postgres"
    ),
    "function's owner": damage(
        "owner", "routine onside.one(number integer)", "ALTER FUNCTION onside.one OWNER TO postgres"
    ),
    "aggregate's owner": damage(
        "owner", "routine onside.total(integer)", "ALTER AGGREGATE onside.total(integer) OWNER TO postgres"
    ),
    "type's owner": damage("owner", "type onside.mood", "ALTER TYPE onside.mood OWNER TO postgres"),
    "domain's owner": damage("owner", "domain onside.short", "ALTER DOMAIN onside.short OWNER TO postgres"),
    "statistics made by another": damage(
        "owner",
        "statistics onside.pair",
        "CREATE STATISTICS onside.pair ON id, word FROM onside.things",
        undo=("DROP STATISTICS onside.pair",),
    ),
    "operator made by another": damage(
        "owner",
        "operator onside.=== (integer, integer)",
        "CREATE OPERATOR onside.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer)",
        undo=("DROP OPERATOR onside.=== (integer, integer)",),
    ),
    "text search made by another": damage(
        "owner",
        "text search configuration onside.words",
        "CREATE TEXT SEARCH CONFIGURATION onside.words (COPY = simple)",
        undo=("DROP TEXT SEARCH CONFIGURATION onside.words",),
    ),
    "collation made by another": damage(
        "owner",
        "collation onside.plain",
        'CREATE COLLATION onside.plain FROM "C"',
        undo=("DROP COLLATION onside.plain",),
    ),
    "a security definer made by another": damage(
        "owner",
        "routine onside.peek()",
        f"GRANT USAGE, CREATE ON SCHEMA onside TO {BACKEND}",
        f"SET ROLE {BACKEND}",
        "CREATE FUNCTION onside.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "REVOKE EXECUTE ON FUNCTION onside.peek() FROM PUBLIC",
        "RESET ROLE",
        f"REVOKE ALL ON SCHEMA onside FROM {BACKEND}",
        undo=("DROP FUNCTION onside.peek()",),
    ),
    "a service's function in public": damage(
        "owner",
        "routine public.peek()",
        "CREATE FUNCTION public.peek() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NEW; END'",
        "REVOKE EXECUTE ON FUNCTION public.peek() FROM PUBLIC",
        "ALTER FUNCTION public.peek() OWNER TO onside_user",
        undo=("DROP FUNCTION onside.peek()",),
    ),
    "a service's view in public": damage(
        "owner",
        "view public.looking",
        "CREATE VIEW public.looking AS SELECT id FROM public.brands",
        "ALTER VIEW public.looking OWNER TO onside_user",
        "GRANT SELECT ON public.looking TO analytics_readonly",
        undo=("DROP VIEW onside.looking",),
    ),
    "a service's table in public": damage(
        "owner",
        "table public.brand_users",
        "ALTER TABLE public.brand_users OWNER TO onside_user",
        undo=("ALTER TABLE onside.brand_users SET SCHEMA public", "ALTER TABLE public.brand_users OWNER TO {admin}"),
    ),
    "a service's partition of the backend's table": damage(
        "owner",
        "table public.brands_2026",
        "CREATE TABLE public.brands_by_year (id int, at date) PARTITION BY RANGE (at)",
        "CREATE TABLE public.brands_2026 PARTITION OF public.brands_by_year"
        " FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "GRANT SELECT ON public.brands_by_year, public.brands_2026 TO analytics_readonly",
        "ALTER TABLE public.brands_2026 OWNER TO onside_user",
        undo=("DROP TABLE public.brands_by_year",),
    ),
    "a service's schema": damage(
        "owner", "schema attic", "CREATE SCHEMA attic AUTHORIZATION onside_user", undo=("DROP SCHEMA attic",)
    ),
    "a service's database": damage(
        "owner", "database attic", "CREATE DATABASE attic OWNER onside_user", undo=("DROP DATABASE attic",)
    ),
    "security definer": damage(
        "security definer",
        "PUBLIC on function public.peek()",
        "CREATE FUNCTION public.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT count(*) FROM madansara.things'",
        undo=("DROP FUNCTION public.peek()",),
    ),
    "a creator through a membership": damage(
        "default privileges",
        "newcomer in public",
        "CREATE ROLE newcomer LOGIN",
        f"GRANT {BACKEND} TO newcomer",
        undo=("DROP ROLE newcomer",),
    ),
    "schema under another name": damage("schema", "schema onside", "ALTER SCHEMA onside RENAME TO onside_old"),
    "public in another's hands": damage(
        "owner",
        "schema public",
        "CREATE ROLE snoop",
        "ALTER SCHEMA public OWNER TO snoop",
        undo=("ALTER SCHEMA public OWNER TO {owner}", "DROP OWNED BY snoop", "DROP ROLE snoop"),
        rounds=2,
    ),
    "a server of a service's": damage(
        "owner",
        "server far",
        "CREATE FOREIGN DATA WRAPPER none",
        "CREATE SERVER far FOREIGN DATA WRAPPER none",
        "GRANT USAGE ON FOREIGN DATA WRAPPER none TO onside_user",
        "ALTER SERVER far OWNER TO onside_user",
        "REVOKE USAGE ON FOREIGN DATA WRAPPER none FROM onside_user",
        undo=("DROP FOREIGN DATA WRAPPER none CASCADE",),
    ),
    "a partition in another schema": damage(
        "inheritance",
        "table sankore.parts_2026_old",
        "ALTER TABLE onside.parts_2026 SET SCHEMA langflow",
        "ALTER TABLE langflow.parts_2026 RENAME TO parts_2026_old",
        "ALTER TABLE langflow.parts_2026_old SET SCHEMA sankore",
        undo=("ALTER TABLE onside.parts_2026_old RENAME TO parts_2026",),
    ),
    "a partition of another's": damage(
        "inheritance",
        "table sankore.parts_2030",
        "CREATE TABLE sankore.parts_2030 PARTITION OF madansara.parts FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')",
        "ALTER TABLE sankore.parts_2030 OWNER TO sankore_user",
        "GRANT SELECT ON sankore.parts_2030 TO analytics_readonly",
        undo=("DROP TABLE sankore.parts_2030",),
    ),
    "a trigger's security definer": damage(
        "security definer",
        "PUBLIC on function public.peek()",
        "CREATE FUNCTION public.peek() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
        " AS 'BEGIN PERFORM FROM madansara.things; RETURN NEW; END'",
        undo=("DROP FUNCTION public.peek()",),
    ),
    "a security definer among the system's": damage(
        "security definer",
        "PUBLIC on function pg_catalog.peek()",
        "SET allow_system_table_mods = on",
        "CREATE FUNCTION pg_catalog.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT count(*) FROM madansara.things'",
        undo=("SET allow_system_table_mods = on", "DROP FUNCTION pg_catalog.peek()"),
    ),
}
